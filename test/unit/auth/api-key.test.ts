import { expect } from "chai";
import fc from "fast-check";
import { drawApiKey, formatApiKey, hashSecret, isKeyId, parseApiKey } from "../../../src/auth/api-key.ts";

describe("an API key", () => {
  it("reads back as it was drawn, and no two are alike", () => {
    const texts = new Set<string>();
    for (let round = 0; round < 1_000; round++) {
      const key = drawApiKey();
      const text = formatApiKey(key);
      expect(parseApiKey(text)).to.deep.equal(key);
      expect(isKeyId(key.id)).to.equal(true);
      texts.add(text);
    }
    expect(texts.size).to.equal(1_000);
  });

  it("has 256 bits of secret: every digit of its 43 varies", () => {
    const drawn = Array.from({ length: 500 }, () => drawApiKey().secret);
    for (let place = 1; place < 43; place++) {
      expect(new Set(drawn.map((secret) => secret[place])).size, `place ${place}`).to.be.above(40);
    }
    // 62^43 is a little more than 2^256, so the first digit does not use all.
    expect(new Set(drawn.map((secret) => secret[0])).size).to.be.above(10);
  });

  it("is letters, digits and two underscores, so that a double click marks it", () => {
    expect(formatApiKey(drawApiKey())).to.match(/^sluice_[0-9A-Za-z]{11}_[0-9A-Za-z]{43}$/);
  });

  it("is only what has its exact form", () => {
    const { id, secret } = drawApiKey();
    for (const text of [
      "",
      "sluice",
      `sluice_${id}`,
      `sluice_${id}_`,
      `sluice__${secret}`,
      `Sluice_${id}_${secret}`,
      ` sluice_${id}_${secret}`,
      `sluice_${id}_${secret} `,
      `sluice_${id}_${secret}\n`,
      `sluice_${id}_${secret}0`,
      `sluice_${id}_${secret.slice(1)}`,
      `sluice_${id}_${secret.slice(1)}é`,
      `sluice_${id}_${secret.slice(1)}\0`,
      `sk-${id}_${secret}`,
    ]) {
      expect(parseApiKey(text), JSON.stringify(text)).to.equal(undefined);
    }
  });

  it("has another hash as soon as one character differs", () => {
    const { secret } = drawApiKey();
    const digit = fc.constantFrom(..."0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
    fc.assert(
      fc.property(fc.nat(42), digit, (place, replacement) => {
        const other = secret.slice(0, place) + replacement + secret.slice(place + 1);
        expect(hashSecret(other).equals(hashSecret(secret))).to.equal(other === secret);
      }),
    );
  });

  it("is stored as SHA-256 of the secret's text", () => {
    expect(hashSecret("abc").toString("hex")).to.equal(
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    );
  });
});
