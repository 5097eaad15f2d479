import java.io.ByteArrayInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.apache.ws.security.WSConstants;
import org.apache.ws.security.WSDataRef;
import org.apache.ws.security.WSEncryptionPart;
import org.apache.ws.security.WSSecurityEngine;
import org.apache.ws.security.WSSecurityEngineResult;
import org.apache.ws.security.WSSConfig;
import org.apache.ws.security.components.crypto.Merlin;
import org.apache.ws.security.message.WSSecHeader;
import org.apache.ws.security.message.WSSecSignature;
import org.apache.ws.security.message.WSSecTimestamp;
import org.w3c.dom.Document;
import org.w3c.dom.Element;

/**
 * A second opinion from Apache WSS4J.
 *
 * <p>verify TRUST FOLDER prints, for each file: its name, and "valid" with the signed elements, or "invalid" with the
 * reason. sign JOBS signs envelopes; each line of JOBS has, between tabs: certificates, key, signature algorithm, digest,
 * whether to list inclusive prefixes, input, output, and where wanted the kind of token and what is signed of it: nothing,
 * "token" (the token in the header) or "reference" (STR transform).
 */
public final class Wss4jPeer {
    private static final String PASSWORD = "test";
    private static final Map<String, Integer> TOKENS = Map.of(
        "x509v3", WSConstants.BST_DIRECT_REFERENCE,
        "pkipath", WSConstants.BST_DIRECT_REFERENCE,
        "ski", WSConstants.SKI_KEY_IDENTIFIER,
        "thumbprint", WSConstants.THUMBPRINT_IDENTIFIER,
        "x509v3-identifier", WSConstants.X509_KEY_IDENTIFIER,
        "issuer-serial", WSConstants.ISSUER_SERIAL);

    public static void main(String[] arguments) throws Exception {
        WSSConfig.init();
        if (arguments[0].equals("verify")) {
            verifyAll(Paths.get(arguments[1]), Paths.get(arguments[2]));
        } else {
            for (String line : Files.readAllLines(Paths.get(arguments[1]))) {
                sign(line.split("\t"));
            }
        }
    }

    private static void verifyAll(Path trust, Path folder) throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        int number = 0;
        for (Certificate certificate : certificates(trust)) {
            store.setCertificateEntry("anchor" + number++, certificate);
        }
        Merlin crypto = new Merlin();
        crypto.setKeyStore(store);
        WSSecurityEngine engine = new WSSecurityEngine();
        WSSConfig config = WSSConfig.getNewInstance();
        config.setTimeStampTTL(300);
        config.setTimeStampFutureTTL(300);
        engine.setWssConfig(config);
        List<Path> files;
        try (Stream<Path> listed = Files.list(folder)) {
            files = listed.sorted().collect(Collectors.toList());
        }
        for (Path file : files) {
            System.out.println(file.getFileName() + "\t" + verify(engine, crypto, Files.readAllBytes(file)));
        }
    }

    private static String verify(WSSecurityEngine engine, Merlin crypto, byte[] data) {
        try {
            Document document = parse(data);
            List<WSSecurityEngineResult> results = engine.processSecurityHeader(document, null, null, crypto);
            TreeSet<String> paths = new TreeSet<>();
            for (WSSecurityEngineResult result : results == null ? Collections.<WSSecurityEngineResult>emptyList() : results) {
                Object references = result.get(WSSecurityEngineResult.TAG_DATA_REF_URIS);
                for (Object reference : references == null ? Collections.emptyList() : (List<?>) references) {
                    String path = ((WSDataRef) reference).getXpath();  // none for a token that is not in the message
                    paths.add(path == null ? "token" : path.replaceAll("/[^/:]*:", "/"));
                }
            }
            return paths.isEmpty() ? "unsigned" : "valid\t" + String.join(" ", paths);
        } catch (Exception problem) {
            return "invalid\t" + String.valueOf(problem.getMessage()).replaceAll("\\s+", " ");
        }
    }

    private static void sign(String[] job) throws Exception {
        List<Certificate> chain = certificates(Paths.get(job[0]));
        KeyStore store = KeyStore.getInstance("JKS");  // PKCS12 takes long to wrap a key
        store.load(null, null);
        String kind = chain.get(0).getPublicKey().getAlgorithm();
        PrivateKey key = KeyFactory.getInstance(kind).generatePrivate(new PKCS8EncodedKeySpec(pem(Paths.get(job[1]))));
        store.setKeyEntry("signer", key, PASSWORD.toCharArray(), chain.toArray(new Certificate[0]));
        Merlin crypto = new Merlin();
        crypto.setKeyStore(store);
        WSSConfig config = WSSConfig.getNewInstance();
        config.setWsiBSPCompliant(job[4].equals("true"));
        Document document = parse(Files.readAllBytes(Paths.get(job[5])));
        WSSecHeader header = new WSSecHeader();
        header.insertSecurityHeader(document);
        WSSecTimestamp timestamp = new WSSecTimestamp(config);
        timestamp.setTimeToLive(300);
        timestamp.build(document, header);
        WSSecSignature signature = new WSSecSignature(config);
        signature.setUserInfo("signer", PASSWORD);
        String token = job.length > 7 ? job[7] : "x509v3";
        signature.setKeyIdentifierType(TOKENS.get(token));
        signature.setUseSingleCertificate(!token.equals("pkipath"));
        signature.setSignatureAlgorithm(job[2]);
        signature.setDigestAlgo(job[3]);
        String soap = document.getDocumentElement().getNamespaceURI();
        List<WSEncryptionPart> parts = new ArrayList<>(Arrays.asList(
            new WSEncryptionPart("Body", soap, ""), new WSEncryptionPart("Timestamp", WSConstants.WSU_NS, "")));
        signature.prepare(document, crypto, header);
        if (job.length > 8) {
            WSEncryptionPart part = job[8].equals("token")
                ? new WSEncryptionPart("BinarySecurityToken", WSConstants.WSSE_NS, "")
                : new WSEncryptionPart("STRTransform", "", "Content");
            if (job[8].equals("reference")) {
                part.setId(signature.getSecurityTokenReferenceURI());
            }
            parts.add(part);
        }
        signature.prependBSTElementToHeader(header);
        signature.computeSignature(signature.addReferencesToSign(parts, header), false, null);
        Files.write(Paths.get(job[6]), bytes(document.getDocumentElement()));
    }

    private static byte[] bytes(Element element) throws Exception {
        java.io.ByteArrayOutputStream out = new java.io.ByteArrayOutputStream();
        javax.xml.transform.Transformer writer = javax.xml.transform.TransformerFactory.newInstance().newTransformer();
        writer.transform(new javax.xml.transform.dom.DOMSource(element), new javax.xml.transform.stream.StreamResult(out));
        return out.toByteArray();
    }

    private static Document parse(byte[] data) throws Exception {
        DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
        factory.setNamespaceAware(true);
        factory.setFeature("http://apache.org/xml/features/disallow-doctype-decl", true);
        return factory.newDocumentBuilder().parse(new ByteArrayInputStream(data));
    }

    private static List<Certificate> certificates(Path file) throws Exception {
        return new ArrayList<>(CertificateFactory.getInstance("X.509").generateCertificates(
            new ByteArrayInputStream(Files.readAllBytes(file))));
    }

    private static byte[] pem(Path file) throws Exception {
        return Base64.getMimeDecoder().decode(new String(Files.readAllBytes(file)).replaceAll("-----[A-Z ]+-----", ""));
    }
}
