//! A request that may be a batch is read, within the room there is, and goes on as what it is.

use std::sync::Arc;

use bytes::Bytes;
use http::Response;

use super::answer::{Call, PANICKED, suffered};
use super::detach::Detach;
use super::off_loop::LARGE;
use super::outgoing::head;
use super::{GatewayError, room};
use crate::body::{Body, Budget};
use crate::decode::{Bounds, most_decoded};
use crate::reply::codings;
use crate::request::{self, Scope, Unknown, view};

impl Call {
    /// Bytes that reading a request is about.
    pub(super) fn work(&self, parts: &http::request::Parts, body: &Bytes) -> usize {
        let most = self.gateway.limits.decoded_body;
        let coded = codings(&parts.headers);
        coded.map_or(body.len(), |codings| most_decoded(body.len(), &codings, most, request::MOST_RATIO))
    }

    /// What the request asks, within the room there is; `work` as [`Call::work`] tells it.
    pub(super) fn read(
        &self,
        parts: &http::request::Parts,
        body: &Bytes,
        work: usize,
        budget: &mut Budget,
    ) -> Result<request::Request, Unknown> {
        let held = body.len();
        let no_room = || Unknown::OverLimit("there is no room for it in limits.memory".to_owned());
        let mut bounds = self.gateway.limits.bounds;
        if work > held {
            (bounds.decoded, bounds.nodes) = room::to_decode_and_read(budget, held, work, bounds);
        } else {
            bounds = room::to_read(budget, held, body, bounds).ok_or_else(no_room)?;
        }
        let mut asked = self.view(parts, body, bounds)?;
        asked.behind(self.route().prefix());
        Ok(asked)
    }

    /// A request that was looked at: answered as a batch, or passed.
    pub(super) async fn proceed(
        self,
        parts: http::request::Parts,
        body: Bytes,
        mut budget: Budget,
        read: Option<Result<request::Request, Unknown>>,
    ) -> Response<Body> {
        let mut own = budget.split_off();
        let asked = match read {
            Some(Ok(asked)) => asked,
            told => {
                own.settle(body.len());
                let body = Body::full(body).within(own);
                match told {
                    None => return Box::pin(self.pass_unread(parts, body)).await,
                    Some(Err(Unknown::OverLimit(_))) => return Box::pin(self.over_limit(parts, body)).await,
                    Some(Err(cause @ Unknown::Either(..))) => {
                        self.gateway.observer.diagnostic("request_ambiguous");
                        let lines = &self.gateway.observer.suffered;
                        lines.warn("request passed untouched", &self.exchange.id, "ambiguous", &cause);
                    }
                    Some(_) => {}
                }
                return Box::pin(self.pass(parts, body)).await;
            }
        };
        // What was asked is held as long as the call is; its bytes until they have gone out.
        own.settle(body.len() + asked.asked.bytes());
        let body = if body.len() < LARGE {
            budget = own;
            Body::full(body)
        } else {
            budget.reserve_up_to(asked.asked.bytes());
            own.settle(body.len());
            Body::full(body).within(own)
        };
        let (id, observer) = (self.exchange.id.clone(), Arc::clone(&self.gateway.observer));
        let detached = self.gateway.shared.detached.clone();
        match Detach::new(self.batch(parts, body, asked, budget), &detached).await {
            Some(response) => response,
            None => suffered(&observer, &GatewayError::Fault(PANICKED), &id),
        }
    }

    /// A request that takes more than it may: it passes untouched, and nobody knows whether it was a batch.
    pub(super) async fn over_limit(self, parts: http::request::Parts, body: Body) -> Response<Body> {
        self.gateway.observer.diagnostic("request_over_limit");
        self.pass_unread(parts, body).await
    }

    pub(super) fn view(
        &self,
        parts: &http::request::Parts,
        body: &[u8],
        bounds: Bounds,
    ) -> Result<request::Request, Unknown> {
        let outgoing = self.outgoing();
        let upstream = outgoing.upstream();
        let host = upstream.as_ref().map_or("", |upstream| outgoing.host(parts, upstream).host);
        let head = head(parts, self.route(), host);
        view(&self.gateway.profiles, &self.scope(), &head, body, bounds)
    }

    pub(super) fn scope(&self) -> Scope<'_> {
        Scope { vendor: self.route().vendor.as_deref(), profile: None }
    }
}
