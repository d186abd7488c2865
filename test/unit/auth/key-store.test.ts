import { expect } from "chai";
import { KeyStore } from "../../../src/auth/key-store.ts";
import { seededRandom } from "../../../src/lib/random.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { makeKey } from "./make-key.ts";

const MUTATION_COUNT = 10_000;
const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-+/= .\0é";

describe("the key store", () => {
  it("knows a key and says whose it is, without anything secret", () => {
    const { key, text } = makeKey({ scopes: ["generate", "metrics"] });
    const check = new KeyStore(new FakeClock(), [makeKey().key, key, makeKey().key]).check(text);
    expect(check).to.deep.equal({
      ok: true,
      caller: { name: "team-a", scopes: ["generate", "metrics"], credential: `key:${key.id}` },
    });
    expect(JSON.stringify(check)).not.to.include(text.split("_")[2]);
  });

  it(`takes none of ${MUTATION_COUNT} mutated keys`, () => {
    const keys = Array.from({ length: 10 }, () => makeKey());
    const genuine = new Set(keys.map(({ text }) => text));
    const store = new KeyStore(
      new FakeClock(),
      keys.map(({ key }) => key),
    );
    const random = seededRandom(3);
    const pick = (count: number) => Math.floor(random.next() * count);
    const tried = new Set<string>();
    while (tried.size < MUTATION_COUNT) {
      const text = keys[pick(keys.length)]?.text ?? "";
      const other = keys[pick(keys.length)]?.text ?? "";
      const mutated = [
        () => text.slice(0, pick(text.length)),
        () => text + ALPHABET[pick(ALPHABET.length)],
        () =>
          text
            .split("_")
            .slice(0, 2)
            .concat(other.split("_")[2] ?? "")
            .join("_"),
        () => text.replace(/[a-z]/g, (letter) => (random.next() < 0.1 ? letter.toUpperCase() : letter)),
        () => {
          const place = pick(text.length);
          return text.slice(0, place) + ALPHABET[pick(ALPHABET.length)] + text.slice(place + 1);
        },
        () => {
          const place = pick(text.length - 1);
          return `${text.slice(0, place)}${text[place + 1]}${text[place]}${text.slice(place + 2)}`;
        },
        () => text.replace("sluice", "sluice\u200b"),
      ][pick(7)]?.();
      if (mutated === undefined || genuine.has(mutated) || tried.has(mutated)) continue;
      tried.add(mutated);
      expect(store.check(mutated).ok, mutated).to.equal(false);
    }
    for (const { text } of keys) expect(store.check(text).ok).to.equal(true);
  });

  it("refuses a key from the moment it expires", async () => {
    const clock = new FakeClock();
    const { key, text } = makeKey({ expiresMs: clock.wallMs() + 1_000 });
    const store = new KeyStore(clock, [key]);
    await clock.advance(999);
    expect(store.check(text).ok).to.equal(true);
    await clock.advance(1);
    expect(store.check(text)).to.deep.include({ ok: false, why: "expired", keyId: key.id });
  });

  it("refuses a revoked key, even one that would not expire", () => {
    const { key, text } = makeKey({ revokedMs: 1 });
    const store = new KeyStore(new FakeClock(), [key]);
    expect(store.check(text)).to.deep.include({ ok: false, why: "revoked", keyId: key.id });
  });

  it("tells nobody who lacks the secret that a key is revoked or expired", () => {
    const { key, text } = makeKey({ revokedMs: 1, expiresMs: 1 });
    const store = new KeyStore(new FakeClock(), [key]);
    expect(store.check(`${text.slice(0, -1)}${text.endsWith("0") ? "1" : "0"}`)).to.deep.include({
      why: "wrong secret",
    });
  });

  it("forgets the keys before when it is given others", () => {
    const before = makeKey();
    const after = makeKey();
    const store = new KeyStore(new FakeClock(), [before.key]);
    store.replace([after.key]);
    expect(store.check(before.text)).to.deep.include({ ok: false, why: "unknown" });
    expect(store.check(after.text).ok).to.equal(true);
  });

  it("takes no key whose hash is all zeros for an unknown one", () => {
    const { text } = makeKey();
    expect(new KeyStore(new FakeClock(), []).check(text)).to.deep.include({ ok: false, why: "unknown" });
  });
});
