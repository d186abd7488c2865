import { X509Certificate } from "node:crypto";
import { expect } from "chai";
import fc from "fast-check";
import { listSubjectNames } from "../../../src/auth/subject-names.ts";

describe("the names of a certificate", () => {
  it("are host names in small letters and URIs as they are; other types are no identity", () => {
    const text =
      "DNS:A.Example.org, IP Address:127.0.0.1, URI:spiffe://td/Path, email:a@b.org, othername:<unsupported>, DNS:b";
    expect(listSubjectNames(text)).to.deep.equal(["DNS:a.example.org", "URI:spiffe://td/Path", "DNS:b"]);
  });

  it("are read through Node's quotes, so that a comma in one name makes no second", () => {
    expect(listSubjectNames('URI:"http://x/, DNS:admin.example.org", DNS:b')).to.deep.equal([
      "URI:http://x/, DNS:admin.example.org",
      "DNS:b",
    ]);
  });

  it("are none where the text cannot be read to its end", () => {
    for (const text of ['DNS:a, URI:"x', "DNS", 'DNS:"a"b', 'DNS:a"b', "DNS:a,DNS:b", 'DNS:"\\q"']) {
      expect(listSubjectNames(text), text).to.deep.equal([]);
    }
    expect(listSubjectNames(undefined)).to.deep.equal([]);
  });

  it("never make a name out of the inside of another, whatever a quoted one holds", () => {
    fc.assert(
      fc.property(fc.string(), (inside) => {
        const names = listSubjectNames(`URI:${JSON.stringify(`${inside}, DNS:admin`)}`);
        expect(names).not.to.include("DNS:admin");
      }),
    );
  });

  it("come in the form that this Node makes of a real certificate", () => {
    // An EC certificate with a URI that has a comma in it, and a host name.
    const certificate = new X509Certificate(CERTIFICATE);
    expect(listSubjectNames(certificate.subjectAltName)).to.deep.equal([
      "URI:spiffe://example.org/a, DNS:admin.example.org",
      "DNS:host.example.org",
    ]);
  });
});

const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBjjCCATWgAwIBAgIUQ5diE7yn559aDdtSHXJaK25Wr3UwCgYIKoZIzj0EAwIw
DzENMAsGA1UEAwwEdGVzdDAgFw0yNjExMjAxMjAzMzBaGA8yMTI2MTAyNzEyMDMz
MFowDzENMAsGA1UEAwwEdGVzdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABAXJ
i0k8Mf+1WQ6AzROH4f96inAhoZLsertbloUsk5DPBUUz/3LliNmlzYkzFvWKYJnG
zz4yC/svLC8UzyavisujbTBrMEoGA1UdEQRDMEGGLXNwaWZmZTovL2V4YW1wbGUu
b3JnL2EsIEROUzphZG1pbi5leGFtcGxlLm9yZ4IQaG9zdC5leGFtcGxlLm9yZzAd
BgNVHQ4EFgQULb262VFlev5zwOdwhJ2/FXaNbTMwCgYIKoZIzj0EAwIDRwAwRAIg
I9OMueBoLy1foEoyVvg+GHrAOIje0m0nEu63gUE+ks8CIEdEamnfi/pQ35rEKt7P
k4zBa7n1pOHDty2vT8PWImK+
-----END CERTIFICATE-----`;
