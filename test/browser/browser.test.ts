import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect } from "chai";
import { type GuardedSluice, startGuardedSluice } from "../rpc/auth/start-guarded-sluice.ts";
import { eventually } from "../support/eventually.ts";
import { FakeUpstream } from "../support/fake-upstream.ts";
import { makeKey } from "../unit/auth/make-key.ts";
import { buildPage } from "./build-page.ts";
import { findBrowser, HeadlessBrowser } from "./headless-browser.ts";

const WAIT_MS = 10_000;
const FILES: Readonly<Record<string, string>> = {
  "/": "index.html",
  "/dist/page.js": "dist/page.js",
};

describe("examples/browser in a real browser", function () {
  // The first run fetches packages.
  this.timeout(120_000);

  const { key, text } = makeKey();
  let browser: HeadlessBrowser | undefined;
  let pages: Server | undefined;
  let upstream: FakeUpstream | undefined;
  let sluice: GuardedSluice | undefined;
  let stranger: GuardedSluice | undefined;

  before(async function () {
    const program = findBrowser();
    const page = program === undefined ? undefined : await buildPage();
    if (program === undefined || page?.ok !== true) {
      const why = page?.ok === false ? page.why : "there is no Chromium here.";
      process.once("exit", () => console.log(`The example browser did not run: ${why}`));
      this.skip();
    }
    pages = await servePages(page.folder);
    const origin = `http://127.0.0.1:${(pages.address() as AddressInfo).port}`;
    upstream = await FakeUpstream.start((exchange) => {
      exchange.begin();
      for (const word of ["Once ", "upon ", "a ", "time"]) exchange.sendText(word);
      exchange.finish();
    });
    const options = { upstream: upstream.baseUrl, keys: [key] };
    sluice = await startGuardedSluice({ ...options, sections: `cors:\n  origins: ["${origin}"]` });
    stranger = await startGuardedSluice(options);
    browser = await HeadlessBrowser.open(program, `${origin}/`);
    await waitForState("ready");
  });

  after(async () => {
    await browser?.close();
    await sluice?.stop();
    await stranger?.stop();
    await upstream?.close();
    await new Promise((resolve) => (pages === undefined ? resolve(undefined) : pages.close(resolve)));
  });

  async function waitForState(state: string): Promise<void> {
    await eventually(async () => {
      const shown = await browser?.evaluate("document.getElementById('state')?.textContent");
      expect(shown).to.equal(state);
    }, WAIT_MS);
  }

  /** Fills the form in and presses a button, as a person would; the answer's text. */
  async function press(button: string, form: Readonly<Record<string, string>>, state: string) {
    const values = JSON.stringify(form);
    await browser?.evaluate(
      `for (const [id, value] of Object.entries(${values})) document.getElementById(id).value = value; document.getElementById(${JSON.stringify(button)}).click()`,
    );
    await waitForState(state);
    return browser?.evaluate("document.getElementById('answer').textContent");
  }

  for (const protocol of ["connect", "grpc-web"]) {
    const form = () => ({ server: sluice?.baseUrl ?? "", protocol, key: text });

    it(`${protocol}: a unary call and a stream cross the origin with a key`, async () => {
      expect(await press("generate", form(), "relay answered")).to.equal("Once upon a time");
      expect(await press("stream", form(), "finished")).to.equal("Once upon a time");
    });

    it(`${protocol}: the page can read why it was refused`, async () => {
      for (const button of ["generate", "stream"]) {
        await press(button, { ...form(), key: "wrong" }, "failed: Unauthenticated UNAUTHENTICATED");
      }
    });

    it(`${protocol}: a server that does not know the origin lets the page read nothing`, async () => {
      const before = upstream?.exchanges.length;
      await press("generate", { ...form(), server: stranger?.baseUrl ?? "" }, "failed: Unknown ");
      expect(upstream?.exchanges.length).to.equal(before);
    });
  }
});

async function servePages(folder: string): Promise<Server> {
  const server = createServer((request, response) => {
    const name = FILES[request.url ?? ""];
    if (name === undefined) {
      response.writeHead(404).end();
      return;
    }
    const type = name.endsWith(".js") ? "text/javascript" : "text/html";
    readFile(join(folder, name)).then(
      (bytes) => response.writeHead(200, { "content-type": type, connection: "close" }).end(bytes),
      () => response.writeHead(500).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}
