"""Who sent a message, and is it whole: signatures, certificates, the test PKI."""
