//! Who is measured, and how each is started. Their configurations are the files beside this one.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::Failure;
use crate::process::{Process, free};

/// In the order of the table's columns; the first one chosen is what the others are compared to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Target {
    /// hyper's server and client joined: bytes both ways
    Bare,
    /// The release binary of this tree, or of $ONEVELOPE
    Onevelope,
    /// nginx with Lua doing the smallest such job; $NGINX or `nginx`
    Nginx,
    /// Plain Envoy, translating nothing; $ENVOY or `envoy`
    Envoy,
}

/// What a target needs to be started.
#[derive(Debug)]
pub struct Place {
    /// The proxies' core.
    pub core: usize,
    pub vendor: SocketAddr,
    /// Words before each program: one that runs it and looks on, or nothing.
    pub under: Vec<String>,
    /// Configurations go there.
    pub folder: PathBuf,
}

impl Target {
    pub const ALL: [Self; 4] = [Self::Bare, Self::Onevelope, Self::Nginx, Self::Envoy];

    pub fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare hyper",
            Self::Onevelope => "onevelope",
            Self::Nginx => "nginx + Lua",
            Self::Envoy => "Envoy, plain",
        }
    }

    /// Whether a recognised call comes out as one result for each resource.
    pub fn translates(self) -> bool {
        matches!(self, Self::Onevelope | Self::Nginx)
    }

    /// The program, if this machine has it.
    pub fn program(self) -> Option<PathBuf> {
        let (variable, name) = match self {
            Self::Bare => return std::env::current_exe().ok(),
            Self::Onevelope => ("ONEVELOPE", env!("CARGO_BIN_EXE_onevelope")),
            Self::Nginx => ("NGINX", "nginx"),
            Self::Envoy => ("ENVOY", "envoy"),
        };
        match std::env::var_os(variable) {
            Some(path) => Some(PathBuf::from(path)),
            None => find(name),
        }
    }

    /// Starts it in front of the vendor.
    pub async fn start(self, place: &Place) -> Result<Process, Failure> {
        let program = self.program().ok_or_else(|| format!("{self:?} is not on this machine"))?;
        let (address, admin) = (free()?, free()?);
        let file = |name: &str, text: &str| written(place, name, text, address, admin);
        let arguments = match self {
            Self::Bare => vec!["forward".to_owned(), address.to_string(), place.vendor.to_string()],
            Self::Onevelope => {
                let config = file("onevelope.toml", include_str!("onevelope.toml"))?;
                words(&["serve", "--workers", "1", "--config", &config])
            }
            Self::Nginx => {
                file("translate.lua", include_str!("translate.lua"))?;
                words(&["-c", &file("nginx.conf", include_str!("nginx.conf"))?])
            }
            Self::Envoy => {
                let config = file("envoy.yaml", include_str!("envoy.yaml"))?;
                words(&["-c", &config, "--concurrency", "1", "--disable-hot-restart", "-l", "error"])
            }
        };
        let program = [program.to_string_lossy().into_owned()];
        let words = [&place.under[..], &program, &arguments].concat();
        // onevelope's own log lines are part of its work and not for us.
        Process::start(place.core, &words, address, self != Self::Onevelope).await
    }
}

/// Where a program is.
pub fn find(name: &str) -> Option<PathBuf> {
    // `sbin` is not on everybody's path.
    let path = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin";
    path.split(':').map(|folder| Path::new(folder).join(name)).find(|file| file.is_file())
}

/// Writes one configuration with its addresses filled in.
fn written(
    place: &Place,
    name: &str,
    text: &str,
    address: SocketAddr,
    admin: SocketAddr,
) -> Result<String, Failure> {
    let file = place.folder.join(name);
    let text = text
        .replace("@address@", &address.to_string())
        .replace("@port@", &address.port().to_string())
        .replace("@admin@", &admin.to_string())
        .replace("@vendor@", &place.vendor.to_string())
        .replace("@vendor_port@", &place.vendor.port().to_string())
        .replace("@folder@", &place.folder.to_string_lossy());
    std::fs::write(&file, text)?;
    Ok(file.to_string_lossy().into_owned())
}

pub fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}
