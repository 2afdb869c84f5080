//! One resource's fate: ours and the vendor's words side by side.

use super::Text;

macro_rules! closed_set {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$vdoc])* $variant),+ }

        impl $name {
            /// Every member, in the order of the documentation.
            pub const ALL: &[$name] = &[$($name::$variant),+];

            /// The word used in the envelope, profiles, logs and metrics.
            pub fn as_str(self) -> &'static str {
                match self { $($name::$variant => $word),+ }
            }

            /// The member a word names, if any.
            pub fn parse(word: &str) -> Option<Self> {
                match word { $($word => Some($name::$variant),)+ _ => None }
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let word = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                Self::parse(&word).ok_or_else(|| serde::de::Error::unknown_variant(&word, &[$($word),+]))
            }
        }
    };
}

closed_set! {
    /// What became of one resource. See `docs/envelope.md` section 3.
    Outcome {
        /// The effect is in place.
        Succeeded = "succeeded",
        /// The vendor took it on; the effect is pending.
        Accepted = "accepted",
        /// The effect did not happen.
        Failed = "failed",
        /// Nobody tried: rolled back, stopped earlier, never sent.
        NotAttempted = "not_attempted",
        /// It may or may not have happened.
        Unknown = "unknown",
    }
}

impl Outcome {
    pub fn is_good(self) -> bool {
        matches!(self, Self::Succeeded | Self::Accepted)
    }

    /// Which of two statements about one resource counts: the higher, since reporting a false failure costs
    /// a look and reporting a false success costs an outage.
    pub fn badness(self) -> u8 {
        match self {
            Self::Succeeded => 0,
            Self::Accepted => 1,
            Self::Unknown => 2,
            Self::NotAttempted => 3,
            Self::Failed => 4,
        }
    }
}

closed_set! {
    /// Where a verdict comes from.
    Evidence {
        /// The vendor names this item with its own status.
        Reported = "reported",
        /// The item is absent, and the profile declares the vendor's list exhaustive.
        Inferred = "inferred",
        /// One verdict on the whole call applies to each item.
        Batch = "batch",
        /// Known first-hand by the gateway.
        Gateway = "gateway",
        /// No information; only with `unknown`.
        None = "none",
    }
}

closed_set! {
    /// The closed set of error categories; also the metric label and OpenTelemetry's `error.type`.
    Category {
        InvalidArgument = "invalid_argument",
        Unauthenticated = "unauthenticated",
        PaymentRequired = "payment_required",
        PermissionDenied = "permission_denied",
        QuotaExceeded = "quota_exceeded",
        NotFound = "not_found",
        AlreadyExists = "already_exists",
        Conflict = "conflict",
        FailedPrecondition = "failed_precondition",
        Aborted = "aborted",
        RateLimited = "rate_limited",
        Unsupported = "unsupported",
        Internal = "internal",
        BadResponse = "bad_response",
        Unreachable = "unreachable",
        Unavailable = "unavailable",
        OutOfCapacity = "out_of_capacity",
        Timeout = "timeout",
        Unknown = "unknown",
    }
}

impl Category {
    /// The HTTP status a failure of this category is answered with (`docs/envelope.md` section 6).
    pub fn status(self) -> u16 {
        match self {
            Self::InvalidArgument => 400,
            Self::Unauthenticated => 401,
            Self::PaymentRequired => 402,
            Self::PermissionDenied | Self::QuotaExceeded => 403,
            Self::NotFound => 404,
            Self::AlreadyExists | Self::Conflict | Self::FailedPrecondition => 409,
            Self::Aborted => 424,
            Self::RateLimited => 429,
            Self::Unsupported => 501,
            Self::Internal | Self::BadResponse | Self::Unreachable | Self::Unknown => 502,
            Self::Unavailable | Self::OutOfCapacity => 503,
            Self::Timeout => 504,
        }
    }

    /// What a caller should do when neither profile nor vendor says otherwise.
    pub fn advice(self) -> Advice {
        match self {
            Self::InvalidArgument
            | Self::Unauthenticated
            | Self::PaymentRequired
            | Self::PermissionDenied
            | Self::QuotaExceeded
            | Self::FailedPrecondition
            | Self::OutOfCapacity => Advice::FixThenRetry,
            Self::NotFound | Self::AlreadyExists | Self::Unsupported => Advice::DoNotRetry,
            Self::Conflict | Self::Aborted | Self::RateLimited | Self::Unreachable | Self::Unavailable => {
                Advice::Retry
            }
            Self::Internal | Self::BadResponse | Self::Timeout | Self::Unknown => Advice::Reconcile,
        }
    }

    /// What an HTTP status of 400 or more says by itself.
    pub fn of_status(status: u16) -> Self {
        match status {
            401 | 407 => Self::Unauthenticated,
            402 => Self::PaymentRequired,
            403 | 451 => Self::PermissionDenied,
            404 | 410 => Self::NotFound,
            405 | 501 => Self::Unsupported,
            408 | 504 => Self::Timeout,
            409 | 423 | 425 => Self::Conflict,
            412 | 428 => Self::FailedPrecondition,
            424 => Self::Aborted,
            429 => Self::RateLimited,
            400..=499 => Self::InvalidArgument,
            502 => Self::BadResponse,
            503 => Self::Unavailable,
            507 => Self::OutOfCapacity,
            500..=599 => Self::Internal,
            _ => Self::Unknown,
        }
    }
}

closed_set! {
    /// What the caller should do next.
    Advice {
        Retry = "retry",
        FixThenRetry = "fix_then_retry",
        DoNotRetry = "do_not_retry",
        /// Look before you retry.
        Reconcile = "reconcile",
    }
}

closed_set! {
    /// Whose statement a fault is.
    Origin { Vendor = "vendor", Network = "network", Gateway = "gateway" }
}

closed_set! {
    /// How far a task is.
    TaskState {
        Pending = "pending",
        Running = "running",
        Succeeded = "succeeded",
        Failed = "failed",
        Unknown = "unknown",
    }
}

impl From<Outcome> for TaskState {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Succeeded => Self::Succeeded,
            Outcome::Accepted => Self::Pending,
            Outcome::Failed | Outcome::NotAttempted => Self::Failed,
            Outcome::Unknown => Self::Unknown,
        }
    }
}

/// Why something did not succeed. `vendor_code` and `message` are the vendor's, verbatim; never our words.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fault {
    pub category: Category,
    pub origin: Origin,
    pub advice: Advice,
    pub vendor_code: Option<Text>,
    pub message: Option<Text>,
    pub retry_after_ms: Option<u32>,
}

impl Fault {
    /// A fault with the category's default advice and nothing else.
    pub fn of(category: Category, origin: Origin) -> Self {
        Self {
            category,
            origin,
            advice: category.advice(),
            vendor_code: None,
            message: None,
            retry_after_ms: None,
        }
    }
}

/// Something that can be polled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Task {
    pub id: Text,
    pub state: TaskState,
    /// The vendor's word for the state.
    pub vendor_state: Option<Text>,
    /// Path or URL to poll.
    pub monitor: Option<Text>,
}

/// One resource's verdict.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Verdict {
    /// Position in the request's list; none for a resource the vendor named and nobody asked for.
    pub index: Option<u32>,
    /// In the request's spelling; none when nobody named one.
    pub id: Option<Text>,
    /// The vendor's own name for a resource that was asked for under another.
    pub vendor_id: Option<Text>,
    /// Client-chosen correlation key.
    pub key: Option<Text>,
    /// 0 for the verdict that counts; 1, 2, … for further statements about the same resource.
    pub occurrence: u16,
    pub outcome: Outcome,
    pub evidence: Evidence,
    pub fault: Option<Fault>,
    pub task: Option<Task>,
    /// The vendor's own fragment for this item, verbatim JSON.
    pub data: Option<Text>,
}

impl Verdict {
    pub fn new(outcome: Outcome, evidence: Evidence) -> Self {
        Self {
            index: None,
            id: None,
            vendor_id: None,
            key: None,
            occurrence: 0,
            outcome,
            evidence,
            fault: None,
            task: None,
            data: None,
        }
    }

    /// Enforces what readers may rely on; see [`super::Envelope::seal`].
    pub(super) fn obey(&mut self) {
        if self.evidence == Evidence::None {
            self.outcome = Outcome::Unknown;
        }
        if self.outcome.is_good() {
            self.fault = None;
            return;
        }
        let fault = self.fault.get_or_insert_with(|| {
            let category =
                if self.outcome == Outcome::NotAttempted { Category::Aborted } else { Category::Unknown };
            Fault::of(category, Origin::Vendor)
        });
        if self.outcome == Outcome::Unknown {
            fault.advice = Advice::Reconcile;
        }
    }
}
