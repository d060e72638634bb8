//! The wire format of protobuf, as far as Sparkplug's payload needs it: a walk over the fields of a message that borrows from it and
//! allocates nothing, so that a message of many empty parts costs no memory.

use crate::wire::Rejected;

/// A field's value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Field<'a> {
    Varint(u64),
    /// Eight bytes.
    Fixed64([u8; 8]),
    /// A text, bytes or a message.
    Bytes(&'a [u8]),
    /// Four bytes.
    Fixed32([u8; 4]),
}

impl<'a> Field<'a> {
    pub fn text(self) -> Option<&'a str> {
        match self {
            Field::Bytes(bytes) => std::str::from_utf8(bytes).ok(),
            _ => None,
        }
    }
}

/// The fields of one message, each with its number; ends behind the first fault.
pub(super) struct Fields<'a>(&'a [u8]);

/// The fields of a message.
pub(super) fn fields(message: &[u8]) -> Fields<'_> {
    Fields(message)
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Field<'a>), Rejected>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_none() {
            self.0 = &[];
        }
        Some(field.ok_or(Rejected::Protobuf))
    }
}

impl<'a> Fields<'a> {
    fn field(&mut self) -> Option<(u64, Field<'a>)> {
        let tag = self.varint()?;
        let field = match tag & 7 {
            0 => Field::Varint(self.varint()?),
            1 => Field::Fixed64(*self.take(8)?.first_chunk()?),
            2 => {
                let length = self.varint()?;
                Field::Bytes(self.take(usize::try_from(length).ok()?)?)
            }
            5 => Field::Fixed32(*self.take(4)?.first_chunk()?),
            // Groups, which nobody has used for twenty years.
            _ => return None,
        };
        (tag >> 3 != 0).then_some((tag >> 3, field))
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    /// Seven bits a byte, the lowest first; at most ten bytes.
    fn varint(&mut self) -> Option<u64> {
        let mut number = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = *self.take(1)?.first()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(message: &[u8]) -> Result<Vec<(u64, Field<'_>)>, Rejected> {
        fields(message).collect()
    }

    #[test]
    fn fields_of_every_kind() {
        let message = b"\x08\x96\x01\x11\0\0\0\0\0\0\xf0\x3f\x1a\x02hi\x25\0\0\x80\x3f";
        let expected = [
            (1, Field::Varint(150)),
            (2, Field::Fixed64(1f64.to_le_bytes())),
            (3, Field::Bytes(b"hi")),
            (4, Field::Fixed32(1f32.to_le_bytes())),
        ];
        assert_eq!(all(message).as_deref(), Ok(&expected[..]));
        assert_eq!(all(b""), Ok(vec![]));
    }

    #[test]
    fn what_is_broken_ends_the_walk() {
        for broken in [
            &b"\x08"[..],
            b"\x08\x80",
            b"\x1a\x05hi",
            b"\x1a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
            b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
            b"\x11\0\0",
            b"\x0b\x0c",
            b"\x00\x01",
            b"{\"metrics\":[]}",
        ] {
            assert_eq!(all(broken), Err(Rejected::Protobuf), "{broken:?}");
        }
        assert_eq!(fields(b"\x08\x01\x08").count(), 2);
    }
}
