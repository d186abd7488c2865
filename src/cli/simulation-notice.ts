/** Said once per call on standard error, so that nobody takes made-up text for a model's. */
export const SIMULATION_NOTICE =
  "sluice: SIMULATION: no language model answers here; the text is made up. Give the server an API key for real answers.\n";
