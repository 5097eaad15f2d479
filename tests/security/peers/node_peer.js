// A second opinion from node-soap and xml-crypto.
//
// sign FOLDER KEY CERTIFICATE signs every *.in in the folder as node-soap's client does; its prefix of the envelope is
// the first one of the file. verify FOLDER prints, for each *.xml, its name and "valid" or "invalid" by xml-crypto, with
// the certificate that lies beside it as *.pem.
"use strict";

const fs = require("fs");
const path = require("path");
const { WSSecurityCert } = require("soap");
const { SignedXml } = require("xml-crypto");
const { DOMParser } = require("@xmldom/xmldom");

const [action, folder, key, certificate] = process.argv.slice(2);
const files = (end) => fs.readdirSync(folder).filter((name) => name.endsWith(end)).sort();
const read = (name) => fs.readFileSync(path.join(folder, name), "utf-8");

function sign(name) {
  const text = read(name);
  const prefix = /<([^:>]*):Envelope/.exec(text)[1];
  const algorithm = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
  const security = new WSSecurityCert(fs.readFileSync(key), fs.readFileSync(certificate, "utf-8"), "", {
    hasTimeStamp: true,
    signatureAlgorithm: algorithm,
    signerOptions: name.startsWith("wsu") ? { idMode: "wssecurity" } : {},
  });
  fs.writeFileSync(path.join(folder, name.replace(/in$/, "out")), security.postProcess(text, prefix));
}

function verify(name) {
  const text = read(name);
  const signature = new DOMParser().parseFromString(text, "text/xml").getElementsByTagName("ds:Signature")[0];
  const signed = new SignedXml({ publicCert: read(name.replace(/xml$/, "pem")), idMode: "wssecurity" });
  try {
    signed.loadSignature(signature);
    return signed.checkSignature(text) ? "valid" : "invalid";
  } catch (problem) {
    return "invalid";
  }
}

if (action === "sign") {
  files(".in").forEach(sign);
} else {
  files(".xml").forEach((name) => console.log(`${name}\t${verify(name)}`));
}
