//! What clients say: messages, read out of bytes that nobody vouches for.
//!
//! The decoders of `pgwire` trust the lengths inside of a message and panic where those lie; these do not. The invariant: nothing
//! is read beyond the end of a message, whatever it says of itself.

use bytes::Bytes;

use super::error::PgError;

/// What a connection begins with.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Opening {
    /// A question whether there is TLS, or something like it.
    Encryption,
    /// A word that the query of another connection shall stop.
    Cancel {
        /// The number of that connection.
        pid: i32,
        /// What only its client knows.
        key: i32,
    },
    /// A session.
    Startup {
        /// The minor version of the protocol that is wanted.
        minor: u16,
        /// Settings.
        settings: Vec<(String, String)>,
    },
}

/// What a client says once it is let in.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Message {
    Query(String),
    Parse {
        name: String,
        sql: String,
        types: Vec<u32>,
    },
    Bind(Bind),
    Describe(Target),
    Execute {
        portal: String,
        most: u32,
    },
    Close(Target),
    Flush,
    Sync,
    Terminate,
    /// Data for a `COPY` that nobody asked for.
    Copy,
}

/// Values for the parameters of a statement.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Bind {
    pub(super) portal: String,
    pub(super) statement: String,
    pub(super) parameter_formats: Vec<i16>,
    pub(super) parameters: Vec<Option<Bytes>>,
    pub(super) result_formats: Vec<i16>,
}

/// What is described or closed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Target {
    Statement(String),
    Portal(String),
}

const CANCEL: u32 = 80_877_102;
const SSL: u32 = 80_877_103;
const GSS: u32 = 80_877_104;
/// The major version of the protocol.
const MAJOR: u32 = 3;

impl Opening {
    /// Reads the first message, without its length.
    pub(super) fn read(content: Bytes) -> Result<Self, PgError> {
        let mut rest = Rest(content);
        match rest.u32()? {
            SSL | GSS => Ok(Self::Encryption),
            CANCEL => Ok(Self::Cancel {
                pid: rest.i32()?,
                key: rest.i32()?,
            }),
            version if version >> 16 == MAJOR => {
                let mut settings = Vec::new();
                loop {
                    let name = rest.text()?;
                    if name.is_empty() {
                        break;
                    }
                    settings.push((name, rest.text()?));
                }
                let minor = u16::try_from(version & 0xffff).unwrap_or_default();
                Ok(Self::Startup { minor, settings })
            }
            version => Err(PgError::fatal(
                "0A000",
                format!(
                    "version {}.{} of the protocol is not spoken; 3.0 is",
                    version >> 16,
                    version & 0xffff
                ),
            )),
        }
    }
}

impl Message {
    /// Reads a message of a kind.
    pub(super) fn read(kind: u8, content: Bytes) -> Result<Self, PgError> {
        let mut rest = Rest(content);
        let message = match kind {
            b'Q' => Self::Query(rest.text()?),
            b'P' => Self::Parse {
                name: rest.text()?,
                sql: rest.text()?,
                types: rest.list(Rest::u32)?,
            },
            b'B' => Self::Bind(Bind {
                portal: rest.text()?,
                statement: rest.text()?,
                parameter_formats: rest.list(Rest::i16)?,
                parameters: rest.list(Rest::value)?,
                result_formats: rest.list(Rest::i16)?,
            }),
            b'D' => Self::Describe(rest.target()?),
            b'E' => Self::Execute {
                portal: rest.text()?,
                // Nothing and less than nothing are both no limit.
                most: u32::try_from(rest.i32()?).unwrap_or_default(),
            },
            b'C' => Self::Close(rest.target()?),
            b'H' => Self::Flush,
            b'S' => Self::Sync,
            b'X' => Self::Terminate,
            b'd' | b'c' | b'f' => Self::Copy,
            kind => {
                return Err(PgError::fatal(
                    "08P01",
                    format!("a message of kind {:?} is not known", char::from(kind)),
                ));
            }
        };
        Ok(message)
    }
}

/// The password in a message.
pub(super) fn password(kind: u8, content: Bytes) -> Result<String, PgError> {
    if kind != b'p' {
        return Err(PgError::fatal("08P01", "a password was expected"));
    }
    Rest(content).text()
}

/// What is left of a message.
struct Rest(Bytes);

impl Rest {
    fn take(&mut self, length: usize) -> Result<Bytes, PgError> {
        if length > self.0.len() {
            return Err(malformed());
        }
        Ok(self.0.split_to(length))
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], PgError> {
        let bytes = self.take(N)?;
        <[u8; N]>::try_from(&bytes[..]).map_err(|_length| malformed())
    }

    fn u32(&mut self) -> Result<u32, PgError> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    fn i32(&mut self) -> Result<i32, PgError> {
        Ok(i32::from_be_bytes(self.array()?))
    }

    fn i16(&mut self) -> Result<i16, PgError> {
        Ok(i16::from_be_bytes(self.array()?))
    }

    /// A text that ends with a zero.
    fn text(&mut self) -> Result<String, PgError> {
        let length = self.0.iter().position(|byte| *byte == 0).ok_or_else(malformed)?;
        let text = self.take(length + 1)?;
        let text = std::str::from_utf8(&text[..length]).map_err(|error| PgError::new("22021", format!("a text is no UTF-8: {error}")))?;
        Ok(text.to_owned())
    }

    /// As many as are told. Room is made as they come, not as they are promised.
    fn list<T>(&mut self, mut one: impl FnMut(&mut Self) -> Result<T, PgError>) -> Result<Vec<T>, PgError> {
        let count = u16::from_be_bytes(self.array()?);
        let mut list = Vec::new();
        for _ in 0..count {
            list.push(one(self)?);
        }
        Ok(list)
    }

    fn value(&mut self) -> Result<Option<Bytes>, PgError> {
        match usize::try_from(self.i32()?) {
            Ok(length) => self.take(length).map(Some),
            Err(_null) => Ok(None),
        }
    }

    fn target(&mut self) -> Result<Target, PgError> {
        match self.array()? {
            [b'S'] => Ok(Target::Statement(self.text()?)),
            [b'P'] => Ok(Target::Portal(self.text()?)),
            [_] => Err(malformed()),
        }
    }
}

fn malformed() -> PgError {
    PgError::fatal("08P01", "a message is not what its kind says")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bind() -> Vec<u8> {
        let mut bytes = b"p\0s\0".to_vec();
        bytes.extend([0, 1, 0, 1]);
        bytes.extend([0, 2, 0, 0, 0, 2, b'a', b'b', 0xff, 0xff, 0xff, 0xff]);
        bytes.extend([0, 1, 0, 1]);
        bytes
    }

    #[test]
    fn a_message_that_is_cut_anywhere_is_refused() {
        let whole = bind();
        let read = Message::read(b'B', Bytes::from(whole.clone())).unwrap();
        let expected = Bind {
            portal: "p".to_owned(),
            statement: "s".to_owned(),
            parameter_formats: vec![1],
            parameters: vec![Some(Bytes::from_static(b"ab")), None],
            result_formats: vec![1],
        };
        assert_eq!(read, Message::Bind(expected));
        for length in 0..whole.len() {
            assert!(Message::read(b'B', Bytes::copy_from_slice(&whole[..length])).is_err(), "{length}");
        }
    }

    #[test]
    fn openings_are_told_apart() {
        let ssl = Bytes::copy_from_slice(&SSL.to_be_bytes());
        assert_eq!(Opening::read(ssl).unwrap(), Opening::Encryption);
        let mut cancel = CANCEL.to_be_bytes().to_vec();
        cancel.extend([0, 0, 0, 7, 0, 0, 0, 9]);
        assert_eq!(
            Opening::read(Bytes::from(cancel.clone())).unwrap(),
            Opening::Cancel { pid: 7, key: 9 }
        );
        cancel.pop();
        assert!(Opening::read(Bytes::from(cancel)).is_err());
        let mut startup = (3_u32 << 16 | 2).to_be_bytes().to_vec();
        startup.extend(b"user\0ada\0\0");
        let settings = vec![("user".to_owned(), "ada".to_owned())];
        assert_eq!(
            Opening::read(Bytes::from(startup)).unwrap(),
            Opening::Startup { minor: 2, settings }
        );
        assert!(Opening::read(Bytes::copy_from_slice(&(2_u32 << 16).to_be_bytes())).is_err());
    }
}
