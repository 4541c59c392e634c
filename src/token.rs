//! Tokens: who may ask.
//!
//! A token is 256 random bits, shown once, when it is made. The store keeps its SHA-256, and what a caller shows is compared
//! with every hash in constant time.

use std::fmt;

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::store::StoreError;

/// A new token. It is shown by [`Token::reveal`] and by nothing else.
pub struct Token([u8; 32]);

impl Token {
    /// Makes a token.
    ///
    /// # Errors
    ///
    /// When the operating system has no random numbers.
    pub fn generate() -> Result<Self, StoreError> {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret).map_err(|error| StoreError::Random { reason: error.to_string() })?;
        Ok(Self(secret))
    }

    /// The token as its owner writes it.
    #[must_use]
    pub fn reveal(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// What the store keeps of it.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        hash(&self.reveal())
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(secret)")
    }
}

fn hash(shown: &str) -> [u8; 32] {
    Sha256::digest(shown.as_bytes()).into()
}

/// Whether what a caller shows is one of the tokens. It takes the same time whichever it is.
#[must_use]
pub fn is_known(shown: &str, hashes: &[[u8; 32]]) -> bool {
    let shown = hash(shown);
    let known = hashes
        .iter()
        .fold(subtle::Choice::from(0), |known, hash| known | hash.ct_eq(&shown));
    known.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_known_by_its_hash_alone() {
        let (one, other) = (Token::generate().unwrap(), Token::generate().unwrap());
        let hashes = [one.hash()];
        assert!(is_known(&one.reveal(), &hashes));
        assert!(!is_known(&other.reveal(), &hashes));
        assert!(!is_known("", &hashes) && !is_known(&one.reveal(), &[]));
        assert_eq!(one.reveal().len(), 64);
        assert!(!format!("{one:?}").contains(&one.reveal()));
    }
}
