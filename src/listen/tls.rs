//! A listener's certificates.

use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use crate::config::TlsConfig;

/// What a listener shows and asks for; connections that are open keep what they began with.
#[derive(Clone)]
pub struct Certificates(Arc<ArcSwap<ServerConfig>>);

impl Certificates {
    /// # Errors
    /// Which file cannot be used, and why.
    pub(super) fn read(config: &TlsConfig) -> Result<Self, String> {
        Ok(Self(Arc::new(ArcSwap::from_pointee(server(config)?))))
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.0.load_full())
    }

    /// Reads the files again. What came out is to be put into force by calling it, once all else is known to be good.
    ///
    /// # Errors
    /// Which file cannot be used, and why; what is shown stays.
    pub fn renewed(&self, config: &TlsConfig) -> Result<impl FnOnce() + Send + use<>, String> {
        let (server, shown) = (Arc::new(server(config)?), Arc::clone(&self.0));
        Ok(move || shown.store(server))
    }
}

/// Reads the PEM files; `client_ca` makes the listener demand a client certificate.
fn server(config: &TlsConfig) -> Result<ServerConfig, String> {
    let certificates = certificates(&config.cert)?;
    let key = PrivateKeyDer::from_pem_file(&config.key)
        .map_err(|cause| format!("{}: {cause}", config.key.display()))?;
    let builder = ServerConfig::builder();
    let builder = match &config.client_ca {
        None => builder.with_no_client_auth(),
        Some(file) => {
            let mut roots = RootCertStore::empty();
            for certificate in self::certificates(file)? {
                roots.add(certificate).map_err(|cause| format!("{}: {cause}", file.display()))?;
            }
            let verifier = WebPkiClientVerifier::builder(Arc::new(roots)).build();
            builder
                .with_client_cert_verifier(verifier.map_err(|cause| format!("{}: {cause}", file.display()))?)
        }
    };
    let mut server = builder
        .with_single_cert(certificates, key)
        .map_err(|cause| format!("{} and {}: {cause}", config.cert.display(), config.key.display()))?;
    server.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(server)
}

fn certificates(file: &std::path::Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let bad = |cause: &dyn std::fmt::Display| format!("{}: {cause}", file.display());
    let certificates: Result<Vec<_>, _> =
        CertificateDer::pem_file_iter(file).map_err(|cause| bad(&cause))?.collect();
    let certificates = certificates.map_err(|cause| bad(&cause))?;
    if certificates.is_empty() { Err(bad(&"no certificate in it")) } else { Ok(certificates) }
}
