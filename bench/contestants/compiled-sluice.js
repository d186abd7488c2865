/** Starts what `npm run build` made; bin/sluice.js prefers the TypeScript sources where there are any. */

const { main } = await import("../../dist/src/cli/main.js");
await main();
