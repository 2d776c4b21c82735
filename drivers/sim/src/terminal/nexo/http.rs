//! As much of HTTP/1.1 as a terminal needs: one POST on each connection.

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
        if let Some((head, body)) = split(&received) {
            let Some(length) = length(head, path) else { return Ok(None) };
            if body.len() >= length {
                return Ok(Some(body[..length].to_vec()));
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

fn length(head: &str, path: &str) -> Option<usize> {
    let mut lines = head.lines();
    let mut words = lines.next()?.split(' ');
    let asked = (words.next()?, words.next()?.trim_end_matches('/'));
    let header = lines.filter_map(|line| line.split_once(':'));
    let mut lengths = header.filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let length = lengths.next()?.1.trim().parse().ok()?;
    (asked == ("POST", path)).then_some(length)
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
