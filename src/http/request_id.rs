//! An id for every request: in its answer, in every line that is logged about it, and in the message of what is our fault.
//!
//! A caller may bring one, so that it finds its own requests in our logs; nothing but letters that need no quoting gets there.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use axum::http::{HeaderMap, HeaderName, HeaderValue};

/// The header that has it, in requests and answers.
pub(super) const HEADER: HeaderName = HeaderName::from_static("x-request-id");
const MOST_CHARACTERS: usize = 64;

tokio::task_local! {
    /// That of the request that this task answers.
    static CURRENT: RequestId;
}

/// The id of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RequestId(Arc<str>);

impl RequestId {
    /// That which a request brings, or a new one. What is shown as a token is no id: ids are logged.
    pub(super) fn of(headers: &HeaderMap, token: Option<&str>) -> Self {
        let brought = headers.get(HEADER).and_then(|id| id.to_str().ok());
        let fits = |id: &&str| is_plain(id) && Some(*id) != token;
        brought.filter(fits).map_or_else(Self::new, |id| Self(id.into()))
    }

    fn new() -> Self {
        // Without random numbers, no request could be told from another; that is no reason not to answer.
        let id = getrandom::u64().unwrap_or_default();
        Self(format!("{id:016x}").into())
    }

    /// That of the request that is being answered; outside of any, a new one.
    pub(super) fn current() -> Self {
        CURRENT.try_with(Clone::clone).unwrap_or_else(|_outside| Self::new())
    }

    /// Answers a request whose id this is.
    pub(super) async fn within<F: Future>(self, answer: F) -> F::Output {
        CURRENT.scope(self, answer).await
    }

    /// As the value of [`HEADER`].
    pub(super) fn value(&self) -> Option<HeaderValue> {
        HeaderValue::from_str(&self.0).ok()
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_plain(id: &str) -> bool {
    let plain = |letter: u8| letter.is_ascii_alphanumeric() || b"._-".contains(&letter);
    (1..=MOST_CHARACTERS).contains(&id.len()) && id.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(brought: &str, token: Option<&str>) -> String {
        let headers = HeaderMap::from_iter([(HEADER, HeaderValue::from_bytes(brought.as_bytes()).unwrap())]);
        RequestId::of(&headers, token).to_string()
    }

    fn is_new(id: &str) -> bool {
        id.len() == 16 && id.bytes().all(|letter| matches!(letter, b'0'..=b'9' | b'a'..=b'f'))
    }

    #[test]
    fn a_plain_one_is_kept() {
        let longest = "x".repeat(64);
        for id in ["a", "A-z_0.9", "3f2504e0-4f89-11d3-9a0c-0305e82c3301", &longest] {
            assert_eq!(of(id, None), id);
        }
    }

    #[test]
    fn any_other_is_made_anew() {
        let too_long = "x".repeat(65);
        for id in ["", " ", "a b", "a\"", "ä", "a,b", "a/b", &too_long] {
            assert!(is_new(&of(id, None)), "{id:?}");
        }
        assert!(is_new(&of("secret", Some("secret"))), "a token is no id");
        assert_eq!(of("secret", Some("other")), "secret");
        let without = || RequestId::of(&HeaderMap::new(), None).to_string();
        assert!(is_new(&without()) && without() != without());
    }

    #[tokio::test]
    async fn whatever_is_done_for_a_request_knows_it() {
        let id = RequestId("mine".into());
        let known = id.clone().within(async { RequestId::current() }).await;
        assert_eq!(known, id);
        assert_ne!(RequestId::current(), id);
    }
}
