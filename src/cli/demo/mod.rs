//! `onevelope demo`: the gateway in front of fake vendors, a partly failing batch to each, and what comes out.
//!
//! The vendors are fake: they stand in for clouds that cannot be had without an account. What they reply follows the
//! vendors' documentation.

mod conversations; // what is asked and replied
mod table; // envelopes for people
mod vendor; // a server that always replies the same

use std::sync::Arc;

use self::conversations::{CONVERSATIONS, Conversation};
use super::client::{exchange, fetch};
use crate::body::Body;
use crate::config::{Config, RouteConfig, UpstreamConfig};
use crate::gateway::Source;
use crate::observe::{LogFormat, start_log};
use crate::profile::ProfileSet;
use crate::run::{self, Running};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// End after the table instead of serving until Ctrl-C
    #[arg(long)]
    once: bool,
}

pub(super) fn run(args: &Args) -> u8 {
    let profiles = match super::load_profiles(None) {
        Ok(profiles) => Arc::new(profiles),
        Err(code) => return code,
    };
    if std::env::var_os("ONEVELOPE_LOG").is_some() {
        start_log(LogFormat::Auto);
    }
    let Some(runtime) = super::serve::runtime(None) else { return 1 };
    match runtime.block_on(demo(profiles, args.once)) {
        Ok(()) => 0,
        Err(what) => {
            super::say(&format!("onevelope: {what}"));
            1
        }
    }
}

async fn demo(profiles: Arc<ProfileSet>, once: bool) -> Result<(), String> {
    let mut config = Config::default();
    for conversation in CONVERSATIONS {
        let address = vendor::start(conversation).await?;
        add_route(&mut config, conversation, &format!("http://{address}"));
    }
    let running = open(config, profiles).await?;
    let (gateway, admin) = (running.address(), running.admin_address());
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let served = tokio::spawn(running.serve(async {
        // A dropped sender stops it, too.
        let _ = stopped.await;
    }));
    super::put(&format!(
        "onevelope on http://{gateway}, admin on http://{admin}; the vendors behind it are fake\n"
    ));
    for conversation in CONVERSATIONS {
        let (status, envelope) = send(conversation, &format!("http://{gateway}")).await?;
        super::put(&table::render(conversation, status, &envelope));
    }
    let metrics = fetch(&format!("http://{admin}/metrics")).await?;
    let metrics = String::from_utf8_lossy(&metrics);
    super::put(&table::moved(&metrics));
    if !once {
        super::put(&table::try_it(&gateway.to_string(), &admin.to_string()));
        run::termination().await;
    }
    drop(stop);
    served.await.map_err(|cause| cause.to_string())
}

fn add_route(config: &mut Config, conversation: &Conversation, url: &str) {
    let upstream = UpstreamConfig { url: url.to_owned(), ..UpstreamConfig::default() };
    config.upstreams.insert(conversation.name.to_owned(), upstream);
    let route = RouteConfig {
        prefix: Some(format!("/{}", conversation.name)),
        vendor: Some(conversation.vendor.to_owned()),
        upstream: conversation.name.to_owned(),
        ..RouteConfig::default()
    };
    config.routes.insert(conversation.name.to_owned(), route);
}

/// The default ports; free ones where those are taken.
async fn open(config: Config, profiles: Arc<ProfileSet>) -> Result<Running, String> {
    if let Ok(running) = run::start(config.clone(), Arc::clone(&profiles), Source::Embedded).await {
        return Ok(running);
    }
    let mut config = config;
    for listener in config.listen.listeners.values_mut() {
        listener.address.set_port(0);
    }
    config.admin.address.set_port(0);
    run::start(config, profiles, Source::Embedded).await
}

/// Sends a conversation's request through the gateway.
async fn send(conversation: &Conversation, gateway: &str) -> Result<(u16, serde_json::Value), String> {
    let message = conversation.request()?;
    let mut request = http::Request::builder()
        .method(message.method.clone().unwrap_or_default())
        .uri(format!("{gateway}/{}{}", conversation.name, message.target))
        .body(Body::full(message.body))
        .map_err(|cause| cause.to_string())?;
    request.headers_mut().extend(message.headers);
    let (status, body) = exchange(request).await?;
    let envelope =
        serde_json::from_slice(&body).map_err(|cause| format!("the answer is no JSON: {cause}"))?;
    Ok((status, envelope))
}
