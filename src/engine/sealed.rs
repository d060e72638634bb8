//! A value that only its key opens. The engine carries it and never looks inside: sealing and opening happen in the shell,
//! with a key per subject (a home, a responder) that lives outside the journal. Erasing a person is destroying a key.

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};
use std::fmt;
use std::marker::PhantomData;

/// The sealed bytes of a `T`.
pub struct Sealed<T> {
    bytes: ByteVec,
    of: PhantomData<fn() -> T>,
}

impl<T, C> Encode<C> for Sealed<T> {
    fn encode<W: encode::Write>(&self, e: &mut Encoder<W>, ctx: &mut C) -> Result<(), encode::Error<W::Error>> {
        self.bytes.encode(e, ctx)
    }
}

impl<'b, T, C> Decode<'b, C> for Sealed<T> {
    fn decode(d: &mut Decoder<'b>, ctx: &mut C) -> Result<Self, decode::Error> {
        ByteVec::decode(d, ctx).map(|bytes| Sealed { bytes, of: PhantomData })
    }
}

impl<T> Sealed<T> {
    /// Takes what the vault sealed.
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Sealed { bytes: bytes.into(), of: PhantomData }
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl<T> Clone for Sealed<T> {
    fn clone(&self) -> Self {
        Sealed { bytes: self.bytes.clone(), of: PhantomData }
    }
}

impl<T> PartialEq for Sealed<T> {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl<T> fmt::Debug for Sealed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({} bytes)", self.bytes.len())
    }
}
