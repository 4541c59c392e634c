//! Tokens: who may ask.
//!
//! A token is 256 random bits, shown once, when it is made. The store keeps its SHA-256, and what a caller shows is compared
//! with every hash in constant time. What it opens is an `Access`.

use std::fmt;

use sha2::{Digest as _, Sha256};
use subtle::{ConditionallySelectable as _, ConstantTimeEq as _};

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

/// The place of the token that a caller shows among these hashes. Every one is compared, and each takes the same time.
#[must_use]
pub fn find<'a>(shown: &str, hashes: impl Iterator<Item = &'a [u8; 32]>) -> Option<usize> {
    let shown = hash(shown);
    let unknown = u64::MAX;
    let found = (0_u64..).zip(hashes).fold(unknown, |found, (place, hash)| {
        u64::conditional_select(&found, &place, hash.ct_eq(&shown))
    });
    if found == unknown { None } else { usize::try_from(found).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_known_by_its_hash_alone() {
        let (one, other) = (Token::generate().unwrap(), Token::generate().unwrap());
        let hashes = [[0; 32], one.hash()];
        assert_eq!(find(&one.reveal(), hashes.iter()), Some(1));
        assert_eq!(find(&other.reveal(), hashes.iter()), None);
        assert_eq!((find("", hashes.iter()), find(&one.reveal(), [].iter())), (None, None));
        assert_eq!(one.reveal().len(), 64);
        assert!(!format!("{one:?}").contains(&one.reveal()));
    }
}
