//! As much of HTTP/1.1 as a terminal needs: one POST on each connection, in one piece or in chunks.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};

/// The body of a POST to `path`; `None` = hung up before it was whole, or something else.
pub(super) async fn read_post(
    stream: &mut (impl AsyncRead + Unpin),
    path: &str,
) -> io::Result<Option<Vec<u8>>> {
    let mut received = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        if let Some((head, rest)) = split(&received) {
            let Some(length) = length(head, path) else { return Ok(None) };
            if let Some(body) = body(rest, length) {
                return Ok(Some(body));
            }
        }
        let count = stream.read(&mut buffer).await?;
        if count == 0 || received.len() > LONGEST {
            return Ok(None);
        }
        received.extend(&buffer[..count]);
    }
}

/// Once the head is whole.
fn split(received: &[u8]) -> Option<(&str, &[u8])> {
    let end = received.windows(4).position(|bytes| bytes == b"\r\n\r\n")?;
    Some((std::str::from_utf8(&received[..end]).ok()?, &received[end + 4..]))
}

#[derive(Clone, Copy)]
enum Length {
    Given(usize),
    Chunked,
}

fn length(head: &str, path: &str) -> Option<Length> {
    let mut lines = head.lines();
    let mut words = lines.next()?.split(' ');
    let asked = (words.next()?, words.next()?.trim_end_matches('/'));
    let mut headers = lines.filter_map(|line| line.split_once(':'));
    let length = headers.find_map(|(name, value)| match name.to_lowercase().as_str() {
        "content-length" => value.trim().parse().ok().map(Length::Given),
        "transfer-encoding" => Some(Length::Chunked),
        _ => None,
    });
    length.filter(|_| asked == ("POST", path))
}

/// Once it is whole.
fn body(rest: &[u8], length: Length) -> Option<Vec<u8>> {
    match length {
        Length::Given(length) => rest.get(..length).map(<[u8]>::to_vec),
        Length::Chunked => {
            let (mut rest, mut body) = (rest, Vec::new());
            loop {
                let end = rest.windows(2).position(|bytes| bytes == b"\r\n")?;
                let size = std::str::from_utf8(&rest[..end]).ok()?;
                let size = usize::from_str_radix(size, 16).ok().filter(|size| *size <= LONGEST)?;
                if size == 0 {
                    return Some(body);
                }
                body.extend(rest.get(end + 2..end + 2 + size)?);
                rest = rest.get(end + 2 + size + 2..)?;
            }
        }
    }
}

/// An answer with this body, and the end of the connection.
pub(super) fn ok(body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// The only other answer.
pub(super) const BAD_REQUEST: &[u8] =
    b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

const LONGEST: usize = 64 * 1024;
