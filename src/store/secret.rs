//! The secret of a store: what makes its pseudonyms its own.
//!
//! It is made with the store and never leaves it: nothing prints, logs or answers it.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::StoreError;

/// 256 random bits that only the store knows.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Secret([u8; 32]);

impl Secret {
    /// Makes a secret.
    ///
    /// # Errors
    ///
    /// When the operating system has no random numbers.
    pub(super) fn generate() -> Result<Self, StoreError> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|error| StoreError::Random { reason: error.to_string() })?;
        Ok(Self(bytes))
    }

    /// A secret of these bytes: that of a store that does not exist, which has no names to hide.
    #[must_use]
    pub(crate) const fn of_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes, for whoever computes with them.
    #[must_use]
    pub(crate) const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// What others may know this store by, for one purpose: 64 bits that say nothing of the secret.
    #[must_use]
    pub(crate) fn label(&self, purpose: &str) -> String {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else {
            return String::new(); // which no length of a key leads to
        };
        mac.update(b"label ");
        mac.update(purpose.as_bytes());
        mac.finalize()
            .into_bytes()
            .iter()
            .take(8)
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }

    /// As the catalog keeps it.
    pub(super) fn to_hex(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Reads what the catalog keeps; nothing if it is no secret.
    pub(super) fn from_hex(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        if text.len() != 64 || !text.is_ascii() {
            return None;
        }
        for (place, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * place..2 * place + 2], 16).ok()?;
        }
        Some(Self(bytes))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_kept_and_never_shown() {
        let secret = Secret::generate().unwrap();
        assert_ne!(secret, Secret::generate().unwrap());
        assert_eq!(Secret::from_hex(&secret.to_hex()), Some(secret.clone()));
        assert_eq!(secret.to_hex().len(), 64);
        assert_eq!(format!("{secret:?}"), "Secret(hidden)");
        let label = secret.label("export");
        assert!(label.len() == 16 && !secret.to_hex().contains(&label));
        assert_ne!(label, secret.label("another"));
        assert_eq!(Secret::from_hex("00"), None);
        assert_eq!(Secret::from_hex(&"ä".repeat(32)), None);
    }
}
