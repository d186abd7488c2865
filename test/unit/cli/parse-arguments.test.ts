import { expect } from "chai";
import type { OptionSpecs } from "../../../src/cli/option-spec.ts";
import { parseArguments } from "../../../src/cli/parse-arguments.ts";
import { UsageError } from "../../../src/cli/usage-error.ts";

const OPTIONS: OptionSpecs = {
  model: { type: "string", placeholder: "NAME", short: "m", description: "" },
  image: { type: "string", placeholder: "FILE", multiple: true, description: "" },
  verbose: { type: "boolean", short: "v", description: "" },
};

describe("parseArguments", () => {
  it("reads options and operands in any order", () => {
    const args = parseArguments(
      ["a", "-m", "x", "b", "--verbose", "--image=1", "--image", "2", "-"],
      OPTIONS,
    );
    expect(args.operands).to.deep.equal(["a", "b", "-"]);
    expect(args.text("model")).to.equal("x");
    expect(args.texts("image")).to.deep.equal(["1", "2"]);
    expect(args.has("verbose")).to.equal(true);
  });

  it("takes everything after -- as it is", () => {
    expect(parseArguments(["--", "--model", "-x"], OPTIONS).operands).to.deep.equal(["--model", "-x"]);
  });

  for (const [argv, message] of [
    [["--verbos"], /no option --verbos\. Did you mean --verbose\?/],
    [["--modl=x"], /Did you mean --model\?/],
    [["--zzzzzz"], /no option --zzzzzz\.$/],
    [["-x"], /no option -x\./],
    [["--constructor"], /no option --constructor/],
    [["--__proto__=1"], /no option/],
    [["--model"], /--model needs a value: NAME/],
    [["--model", "--verbose"], /looks like an option\. Write --model=--verbose/],
    [["--verbose=1"], /--verbose takes no value/],
    [["--model", "a", "-m", "b"], /given twice/],
    [["--mod\u001b[31m"], /--mod␛\[31m/],
  ] as const) {
    it(`refuses ${JSON.stringify(argv)}`, () => {
      expect(() => parseArguments(argv, OPTIONS)).to.throw(UsageError, message);
    });
  }

  it("refuses more operands than the command takes and names the first one too many", () => {
    expect(() => parseArguments(["a", "b"], OPTIONS, 1)).to.throw(UsageError, '"b"');
  });

  it("treats a question for an undeclared option as a bug", () => {
    expect(() => parseArguments([], OPTIONS).has("nothing")).to.throw("not declared");
  });
});
