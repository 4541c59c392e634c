//! Pseudonyms: names that are always the same for the same user or host of a store, and say nothing.
//!
//! A pseudonym is a keyed hash of the name. The key is inside the function, so that it stands in no query; the function is made
//! for whoever may not see names and is none that SQL can call, which could otherwise try names until one fits.

use std::collections::VecDeque;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{Array as _, ArrayRef, AsArray as _, StringArray, StringBuilder};
use arrow::datatypes::{DataType, FieldRef, Int32Type};
use datafusion::common::exec_err;
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, TypeSignature, Volatility,
};
use datafusion::scalar::ScalarValue;
use hmac::{Hmac, KeyInit as _, Mac as _};
use rustc_hash::FxHashMap;
use sha2::Sha256;

use crate::event::text_type;
use crate::store::Secret;

/// What is behind a pseudonym. A user and a host of one name have pseudonyms that share nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    User,
    Host,
    Group,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Host => "host",
            Self::Group => "group",
        }
    }
}

/// Makes the pseudonyms of one store. Clones share what they remember.
#[derive(Clone)]
pub(crate) struct Pseudonyms(Arc<Maker>);

struct Maker {
    key: Secret,
    /// The hash with the key in it already.
    keyed: Hmac<Sha256>,
    memory: Mutex<Memory>,
}

/// Dictionaries of the last batches: those of one part of a file share theirs, and parts are read side by side.
const DICTIONARIES: usize = 64;
/// Names of a kind that are remembered; more are hashed again.
const NAMES: usize = 1_000_000;

#[derive(Default)]
struct Memory {
    /// By kind.
    names: [FxHashMap<Box<str>, Box<str>>; 3],
    dictionaries: VecDeque<(Kind, StringArray, ArrayRef)>,
}

impl Pseudonyms {
    pub(crate) fn new(key: &Secret) -> Self {
        // A key that is shorter than a block is filled up with zeros: that is what the function is.
        let mut block = [0; 64];
        block[..32].copy_from_slice(key.bytes());
        Self(Arc::new(Maker {
            key: key.clone(),
            keyed: Hmac::new(&block.into()),
            memory: Mutex::new(Memory::default()),
        }))
    }

    /// The function that turns names of a kind into pseudonyms.
    pub(crate) fn function(&self, kind: Kind) -> ScalarUDF {
        let of = |name: DataType| TypeSignature::Exact(vec![name]);
        ScalarUDF::new_from_impl(Pseudonym {
            kind,
            signature: Signature::one_of(vec![of(text_type()), of(DataType::Utf8)], Volatility::Immutable),
            pseudonyms: self.clone(),
        })
    }

    /// The pseudonym of one name.
    fn of(&self, kind: Kind, name: &str) -> String {
        const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
        let hash = self.0.keyed.clone().chain_update(kind.name()).chain_update([0]).chain_update(name);
        let bytes = hash.finalize().into_bytes();
        // The first 80 bits, five to a letter.
        let bits = bytes.iter().take(10).fold(0_u128, |bits, byte| bits << 8 | u128::from(*byte));
        let letters = (0..16).map(|place| char::from(LETTERS[(bits >> (75 - 5 * place)) as usize & 31]));
        format!("{}-{}", kind.name(), letters.collect::<String>())
    }

    /// Returns the pseudonyms of a column of names, of the same type.
    pub(crate) fn of_column(&self, kind: Kind, names: &ArrayRef) -> Result<ArrayRef> {
        if let Some(names) = names.as_string_opt::<i32>() {
            return Ok(self.of_names(kind, names));
        }
        let dictionary = names.as_dictionary_opt::<Int32Type>();
        match dictionary.and_then(|dictionary| Some((dictionary, dictionary.values().as_string_opt::<i32>()?))) {
            Some((dictionary, values)) => Ok(Arc::new(dictionary.with_values(self.of_dictionary(kind, values)))),
            None => exec_err!("expected names, got {}", names.data_type()),
        }
    }

    fn of_dictionary(&self, kind: Kind, names: &StringArray) -> ArrayRef {
        let same = |known: &StringArray| {
            known.offsets().inner().ptr_eq(names.offsets().inner())
                && known.values().ptr_eq(names.values())
                && known.nulls().is_none()
                && names.nulls().is_none()
        };
        let known = self.remember(|memory| {
            let mut known = memory.dictionaries.iter();
            let found = known.find(|(of, known, _)| *of == kind && same(known));
            found.map(|(_, _, pseudonyms)| Arc::clone(pseudonyms))
        });
        if let Some(known) = known {
            return known;
        }
        let pseudonyms = self.of_names(kind, names);
        self.remember(|memory| {
            memory.dictionaries.push_front((kind, names.clone(), Arc::clone(&pseudonyms)));
            memory.dictionaries.truncate(DICTIONARIES);
        });
        pseudonyms
    }

    fn of_names(&self, kind: Kind, names: &StringArray) -> ArrayRef {
        let mut pseudonyms = StringBuilder::new();
        self.remember(|memory| {
            let known = &mut memory.names[kind as usize];
            for name in names {
                let Some(name) = name else {
                    pseudonyms.append_null();
                    continue;
                };
                if let Some(pseudonym) = known.get(name) {
                    pseudonyms.append_value(pseudonym);
                    continue;
                }
                let pseudonym = self.of(kind, name);
                pseudonyms.append_value(&pseudonym);
                if known.len() < NAMES {
                    known.insert(name.into(), pseudonym.into());
                }
            }
        });
        Arc::new(pseudonyms.finish())
    }

    fn remember<T>(&self, then: impl FnOnce(&mut Memory) -> T) -> T {
        then(&mut self.0.memory.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for Pseudonyms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pseudonyms(hidden)")
    }
}

impl PartialEq for Pseudonyms {
    fn eq(&self, other: &Self) -> bool {
        self.0.key == other.0.key
    }
}

impl Eq for Pseudonyms {}

impl Hash for Pseudonyms {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.key.hash(state);
    }
}

/// The pseudonym of a name; nothing for nothing.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Pseudonym {
    kind: Kind,
    signature: Signature,
    pseudonyms: Pseudonyms,
}

impl ScalarUDFImpl for Pseudonym {
    fn name(&self) -> &'static str {
        "pseudonym"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        types.first().cloned().map_or_else(|| exec_err!("expected a name"), Ok)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        // A pseudonym is there where a name is.
        args.arg_fields
            .first()
            .map_or_else(|| exec_err!("expected a name"), |field| Ok(Arc::clone(field)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        match args.args.first() {
            Some(ColumnarValue::Array(names)) => Ok(ColumnarValue::Array(self.pseudonyms.of_column(self.kind, names)?)),
            Some(ColumnarValue::Scalar(name)) => {
                let pseudonym = self.pseudonyms.of_column(self.kind, &name.to_array()?)?;
                Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&pseudonym, 0)?))
            }
            None => exec_err!("expected a name"),
        }
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::DictionaryArray;

    use super::*;

    fn pseudonyms() -> Pseudonyms {
        Pseudonyms::new(&Secret::of_bytes(*b"0123456789abcdef0123456789abcdef"))
    }

    /// From an implementation of the hash in another language: Python's `hmac` and `base64.b32encode`.
    #[test]
    fn a_pseudonym_is_the_keyed_hash_of_a_name() {
        let pseudonyms = pseudonyms();
        assert_eq!(pseudonyms.of(Kind::User, "alice"), "user-zm3heijmyfcbg2rt");
        assert_eq!(pseudonyms.of(Kind::Host, "alice"), "host-lowpw35aihljvtma");
        assert_eq!(pseudonyms.of(Kind::Group, "müller"), "group-3kq5orswhzfnbxyp");
    }

    #[test]
    fn a_dictionary_keeps_its_keys_and_is_hashed_once() {
        let pseudonyms = pseudonyms();
        let names: DictionaryArray<Int32Type> = [Some("bob"), None, Some("alice"), Some("bob")].into_iter().collect();
        let names: ArrayRef = Arc::new(names);
        let hidden = pseudonyms.of_column(Kind::User, &names).unwrap();
        assert_eq!(hidden.data_type(), names.data_type());
        let (before, after) = (names.as_dictionary::<Int32Type>(), hidden.as_dictionary::<Int32Type>());
        assert_eq!(before.keys(), after.keys());
        assert_eq!(
            after.values().as_string::<i32>().value(1),
            pseudonyms.of(Kind::User, "alice"),
            "the second name of the dictionary"
        );
        let again = pseudonyms.of_column(Kind::User, &names).unwrap();
        assert!(Arc::ptr_eq(again.as_dictionary::<Int32Type>().values(), after.values()));
        let host = pseudonyms.of_column(Kind::Host, &names).unwrap();
        assert_ne!(&host, &hidden, "a host of that name is another one");
    }

    #[test]
    fn plain_names_and_nulls_are_hidden_too() {
        let names: ArrayRef = Arc::new(StringArray::from(vec![Some("alice"), None]));
        let hidden = pseudonyms().of_column(Kind::User, &names).unwrap();
        let hidden = hidden.as_string::<i32>();
        assert_eq!(hidden.value(0), pseudonyms().of(Kind::User, "alice"));
        assert!(hidden.is_null(1));
    }

    #[test]
    fn functions_of_two_stores_differ_and_show_no_key() {
        let other = Pseudonyms::new(&Secret::of_bytes([7; 32]));
        let function = pseudonyms().function(Kind::User);
        assert_eq!(function, pseudonyms().function(Kind::User));
        assert_ne!(function, other.function(Kind::User));
        assert_ne!(function, pseudonyms().function(Kind::Host));
        assert!(!format!("{function:?}").contains("48, 49, 50"), "{function:?}");
        assert_ne!(other.of(Kind::User, "alice"), pseudonyms().of(Kind::User, "alice"));
    }
}
