//! Undoes compression, which is told by the first bytes: gzip (RFC 1952), Zstandard (RFC 8878). What comes out is limited, for a small
//! file can hold any number of zeros.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::StreamingDecoder;

const GZIP: [u8; 2] = [0x1f, 0x8b];
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// The first byte of a frame of Zstandard that is to be skipped is one of sixteen; the others are these.
const SKIPPED: [u8; 3] = [0x2a, 0x4d, 0x18];

/// The bytes of a history, at most `most` of them: one more is an error.
///
/// # Errors
/// When nothing can be read.
pub fn unpacked<'r>(from: impl Read + 'r, most: u64) -> io::Result<Box<dyn Read + 'r>> {
    let mut from = BufReader::with_capacity(1 << 16, from);
    let head = from.fill_buf()?;
    let whole: Box<dyn Read + 'r> = if head.starts_with(&GZIP) {
        Box::new(MultiGzDecoder::new(from))
    } else if is_zstd(head) {
        Box::new(Frames { at: Frame::Between(from) })
    } else {
        Box::new(from)
    };
    Ok(Box::new(Limited { whole, left: most, most }))
}

fn is_zstd(head: &[u8]) -> bool {
    head.starts_with(&ZSTD) || is_skipped(head)
}

fn is_skipped(head: &[u8]) -> bool {
    head.first().is_some_and(|byte| byte & 0xf0 == 0x50) && head[1..].starts_with(&SKIPPED)
}

/// Frames one after the other, as `zstd` and `pzstd` write them.
struct Frames<R: BufRead> {
    at: Frame<R>,
}

enum Frame<R: BufRead> {
    Between(R),
    Within(Box<StreamingDecoder<R, ruzstd::decoding::FrameDecoder>>),
    Broken,
}

impl<R: BufRead> Frames<R> {
    /// Begins the next frame; `None` at the end of all.
    fn begin(mut from: R) -> io::Result<Frame<R>> {
        while is_skipped(from.fill_buf()?) {
            let mut head = [0; 8];
            from.read_exact(&mut head)?;
            let length = u64::from(u32::from_le_bytes([head[4], head[5], head[6], head[7]]));
            if io::copy(&mut from.by_ref().take(length), &mut io::sink())? < length {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        if from.fill_buf()?.is_empty() {
            return Ok(Frame::Between(from));
        }
        let decoder = StreamingDecoder::new(from).map_err(io::Error::other)?;
        Ok(Frame::Within(Box::new(decoder)))
    }
}

impl<R: BufRead> Read for Frames<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            self.at = match std::mem::replace(&mut self.at, Frame::Broken) {
                Frame::Between(from) => match Self::begin(from)? {
                    Frame::Between(from) => {
                        self.at = Frame::Between(from);
                        return Ok(0);
                    }
                    within => within,
                },
                Frame::Within(mut decoder) => match decoder.read(out)? {
                    0 if !out.is_empty() => {
                        let (from, decoder) = decoder.into_parts();
                        let written = decoder.get_checksum_from_data();
                        if written.is_some() && written != decoder.get_calculated_checksum() {
                            return Err(io::Error::other("the checksum of a frame is another one"));
                        }
                        Frame::Between(from)
                    }
                    count => {
                        self.at = Frame::Within(decoder);
                        return Ok(count);
                    }
                },
                Frame::Broken => return Err(io::Error::other("a frame of it is broken")),
            };
        }
    }
}

/// So many bytes and no more.
struct Limited<R> {
    whole: R,
    left: u64,
    most: u64,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.whole.read(out)?;
        match self.left.checked_sub(count as u64) {
            Some(left) => self.left = left,
            None => {
                let why = format!("a history has at most {} MiB, decompressed", self.most >> 20);
                return Err(io::Error::other(why));
            }
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

    use super::*;
    use crate::check::read::Malformed;
    use crate::check::read::attempts::Attempts;
    use crate::check::read::events::Events;

    fn read(from: impl Read) -> Result<usize, Malformed> {
        Ok(Attempts::new(Events::new(from, None)?).collect::<Result<Vec<_>, _>>()?.len())
    }

    #[test]
    fn compression_is_undone_and_bombs_end_in_an_error() {
        let text = "{:process 0 :type :invoke :f :read}\n".repeat(1_000);
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        gzip.write_all(text.as_bytes()).expect("into memory");
        let gzip = gzip.finish().expect("into memory");
        let zstd =
            ruzstd::encoding::compress_to_vec(text.as_bytes(), ruzstd::encoding::CompressionLevel::Fastest);
        let skipped = [&b"\x52\x2a\x4d\x18\x03\0\0\0abc"[..], &zstd].concat();
        for (packed, times) in [
            (gzip.clone(), 1),
            ([&gzip[..], &gzip].concat(), 2),
            (zstd.clone(), 1),
            ([&zstd[..], &zstd].concat(), 2),
            (skipped, 1),
            (text.clone().into_bytes(), 1),
        ] {
            let mut whole = String::new();
            let limit = text.len() as u64 * times;
            unpacked(Cursor::new(&packed), limit).expect("bytes").read_to_string(&mut whole).expect("text");
            assert_eq!(whole, text.repeat(times as usize));
            let count = read(unpacked(Cursor::new(&packed), limit).expect("bytes")).expect("a history");
            assert_eq!(count as u64, 1_000 * times);
            let wrong =
                read(unpacked(Cursor::new(&packed), limit - 1).expect("bytes")).expect_err("too many");
            assert!(wrong.why.contains("at most"), "{}", wrong.why);
            let cut = &packed[..packed.len() - 7];
            if packed.len() < text.len() {
                assert!(
                    read(unpacked(Cursor::new(cut), limit).expect("bytes")).is_err(),
                    "its end is missing"
                );
            }
        }
    }
}
