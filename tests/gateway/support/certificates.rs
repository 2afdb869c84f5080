//! Certificates made for one test.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// An authority that signs certificates into a folder.
pub struct Authority {
    folder: PathBuf,
    issuer: CertifiedIssuer<'static, KeyPair>,
    /// PEM file of the authority's own certificate.
    pub file: PathBuf,
}

/// PEM files of a certificate and its key.
pub struct Pair {
    pub cert: PathBuf,
    pub key: PathBuf,
}

impl Authority {
    pub fn new(folder: &Path, name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        let issuer =
            CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("an authority");
        let file = folder.join(format!("{name}.pem"));
        std::fs::write(&file, issuer.pem()).expect("written");
        Self { folder: folder.to_owned(), issuer, file }
    }

    /// A certificate for `127.0.0.1`, good for servers and clients.
    pub fn sign(&self, name: &str) -> Pair {
        let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("parameters");
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("signed");
        let pair = Pair {
            cert: self.folder.join(format!("{name}.crt")),
            key: self.folder.join(format!("{name}.key")),
        };
        std::fs::write(&pair.cert, certificate.pem()).expect("written");
        std::fs::write(&pair.key, key.serialize_pem()).expect("written");
        pair
    }
}

impl Pair {
    fn load(&self) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
        let chain = vec![CertificateDer::from_pem_file(&self.cert).expect("a certificate")];
        (chain, PrivateKeyDer::from_pem_file(&self.key).expect("a key"))
    }

    /// What a fake vendor speaks https with.
    pub fn acceptor(&self) -> TlsAcceptor {
        provider();
        let (chain, key) = self.load();
        let server =
            ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).expect("usable");
        TlsAcceptor::from(Arc::new(server))
    }
}

/// A client that trusts an authority, offers protocols, and may show a certificate.
pub fn connector(trusted: &Authority, protocols: &[&str], shown: Option<&Pair>) -> TlsConnector {
    provider();
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(&trusted.file).expect("a certificate")).expect("added");
    let builder = ClientConfig::builder().with_root_certificates(roots);
    let mut client = match shown {
        None => builder.with_no_client_auth(),
        Some(pair) => {
            let (chain, key) = pair.load();
            builder.with_client_auth_cert(chain, key).expect("usable")
        }
    };
    client.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    TlsConnector::from(Arc::new(client))
}

fn provider() {
    // A second time is refused and harmless.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
