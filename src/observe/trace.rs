//! Spans: W3C trace context in and out, one span for each request with its upstream call and its translation as children,
//! sent by OTLP over HTTP. OpenTelemetry's names; `error.type` is the category.
//!
//! Without `[traces]` nothing here runs and a caller's `traceparent` passes untouched.

use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};
use opentelemetry::trace::{
    Span as _, SpanBuilder, SpanKind, Status, TraceContextExt, Tracer as _, TracerProvider as _,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::runtime::Tokio;
use opentelemetry_sdk::trace::span_processor_with_async_runtime::BatchSpanProcessor;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};

use crate::config::TracesConfig;
use crate::envelope::Envelope;

/// Makes spans and sends them in the background.
#[derive(Debug)]
pub struct Tracing {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
    propagator: TraceContextPropagator,
}

/// A request's span; ended on drop.
#[derive(Debug)]
pub struct RequestSpan {
    tracer: SdkTracer,
    context: Context,
}

impl Tracing {
    /// Must be called within the runtime that will send the spans.
    ///
    /// # Errors
    /// When the endpoint is no URL.
    pub fn start(config: &TracesConfig) -> Result<Option<Self>, String> {
        let Some(endpoint) = &config.endpoint else { return Ok(None) };
        let exporter = SpanExporter::builder()
            .with_http()
            .with_endpoint(endpoint)
            .with_timeout(Duration::from_secs(10))
            .build()
            .map_err(|cause| format!("traces.endpoint {endpoint:?}: {cause}"))?;
        // The processor without a runtime would send from a thread without a reactor, and panic there.
        let processor = BatchSpanProcessor::builder(exporter, Tokio).build();
        let resource = Resource::builder()
            .with_service_name(config.service_name.clone())
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .build();
        let provider =
            SdkTracerProvider::builder().with_span_processor(processor).with_resource(resource).build();
        let tracer = provider.tracer("onevelope");
        Ok(Some(Self { provider, tracer, propagator: TraceContextPropagator::new() }))
    }

    /// A span for a request, continuing the caller's trace.
    pub fn request(&self, method: &http::Method, route: &str, headers: &HeaderMap) -> RequestSpan {
        let parent = self.propagator.extract(&Carrier(headers));
        let builder = self
            .tracer
            .span_builder(format!("{method} {route}"))
            .with_kind(SpanKind::Server)
            .with_attributes([
                KeyValue::new("http.request.method", method.to_string()),
                KeyValue::new("http.route", route.to_owned()),
            ]);
        let span = self.tracer.build_with_context(builder, &parent);
        RequestSpan { tracer: self.tracer.clone(), context: parent.with_span(span) }
    }

    /// Puts the span into a request to a vendor, in place of the caller's.
    pub fn inject(&self, span: &RequestSpan, headers: &mut HeaderMap) {
        self.propagator.inject_context(&span.context, &mut Sink(headers));
    }

    /// Sends what is still held. Blocks; call it off the event loop.
    pub fn shutdown(&self) {
        if let Err(cause) = self.provider.shutdown() {
            tracing::warn!(error = %cause, "spans were lost at the end");
        }
    }
}

impl RequestSpan {
    /// The trace's id, for logs and exemplars.
    pub fn trace_id(&self) -> String {
        self.context.span().span_context().trace_id().to_string()
    }

    /// A child that is over: the call to a vendor, or the translation.
    pub fn child(&self, name: &'static str, kind: SpanKind, started: SystemTime, attributes: Vec<KeyValue>) {
        let builder =
            SpanBuilder::from_name(name).with_kind(kind).with_start_time(started).with_attributes(attributes);
        self.tracer.build_with_context(builder, &self.context).end();
    }

    /// The call to a vendor.
    pub fn called(&self, upstream: &str, result: &'static str, status: Option<u16>, took: Duration) {
        let mut attributes = vec![KeyValue::new("server.address", upstream.to_owned())];
        attributes.extend(status.map(|status| KeyValue::new("http.response.status_code", i64::from(status))));
        if result != "replied" {
            attributes.push(KeyValue::new("error.type", result));
        }
        self.child("upstream", SpanKind::Client, SystemTime::now() - took, attributes);
    }

    /// The translation, and what became of the batch.
    pub fn judged(&self, envelope: &Envelope<'_>, took: Duration) {
        self.child("translate", SpanKind::Internal, SystemTime::now() - took, Vec::new());
        let span = self.context.span();
        let operation = &envelope.operation;
        span.set_attribute(KeyValue::new("onevelope.vendor", operation.vendor.to_owned()));
        span.set_attribute(KeyValue::new("onevelope.action", operation.action.to_owned()));
        span.set_attribute(KeyValue::new("onevelope.profile", operation.profile.to_owned()));
        span.set_attribute(KeyValue::new("onevelope.outcome", envelope.outcome.as_str()));
        span.set_attribute(KeyValue::new("onevelope.items.total", i64::from(envelope.summary.total)));
        span.set_attribute(KeyValue::new("onevelope.items.failed", i64::from(envelope.summary.failed)));
        let fault = envelope.results.iter().find_map(|verdict| verdict.fault).or(envelope.fault);
        if let Some(fault) = fault {
            span.set_attribute(KeyValue::new("error.type", fault.category.as_str()));
            span.set_status(Status::error(envelope.outcome.as_str()));
        }
    }

    /// The answer's status.
    pub fn answered(&self, status: u16) {
        self.context.span().set_attribute(KeyValue::new("http.response.status_code", i64::from(status)));
    }
}

impl Drop for RequestSpan {
    fn drop(&mut self) {
        self.context.span().end();
    }
}

struct Carrier<'h>(&'h HeaderMap);

impl Extractor for Carrier<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(|value| value.to_str().ok())
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
}

struct Sink<'h>(&'h mut HeaderMap);

impl Injector for Sink<'_> {
    fn set(&mut self, key: &str, value: String) {
        if let (Ok(name), Ok(value)) = (key.parse::<HeaderName>(), HeaderValue::from_str(&value))
            && !value.is_empty()
        {
            self.0.insert(name, value);
        }
    }
}
