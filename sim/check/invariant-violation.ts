/** A rule was broken that must hold at every moment. A bug of whoever is under test, or of the simulator. */
export class InvariantViolation extends Error {
  /** The rule, such as `I4`; reliability.md 3.2 of the research lists them. */
  readonly rule: string;

  constructor(rule: string, message: string) {
    super(`${rule}: ${message}`);
    this.rule = rule;
  }
}
