//! Who may call: programs on this machine and our own page. A page of another site that a
//! developer happens to look at must not be able to move even simulated money, nor to read the
//! demo town through a name that it points at loopback (DNS rebinding).

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::problem::Problem;

/// Lets pass what is for this machine by name and, if a browser sent it, comes from our page.
pub(super) async fn only_this_machine(request: Request, next: Next) -> Response {
    if let Err(problem) = check(request.method(), request.headers()) {
        return problem.into_response();
    }
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, NO_SNIFF);
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

fn check(method: &Method, headers: &HeaderMap) -> Result<(), Problem> {
    let host = text(headers, header::HOST).unwrap_or_default();
    if !is_loopback(host) {
        return Err(Problem::foreign("call the workbench as 127.0.0.1 or localhost with its port"));
    }
    let is_ours = match text(headers, header::ORIGIN) {
        Some(origin) => origin.strip_prefix("http://") == Some(host),
        None => true,
    };
    let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    let is_same_site = matches!(site, None | Some(b"same-origin" | b"none"));
    // Following a link to the workbench from elsewhere is fine; it changes nothing.
    let is_link = method == Method::GET
        && headers.get("sec-fetch-mode").is_some_and(|mode| mode == "navigate");
    if is_ours && (is_same_site || is_link) {
        return Ok(());
    }
    Err(Problem::foreign(
        "another web page may not use the workbench; open the workbench's own page",
    ))
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name).map(|value| value.to_str().unwrap_or("?"))
}

/// `127.0.0.1`, `localhost` or `[::1]`, with or without a port.
fn is_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        Some(_) | None => host,
    };
    matches!(name, "127.0.0.1" | "localhost" | "[::1]")
}

const CONTENT_SECURITY_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; img-src 'self' blob: data:; frame-ancestors 'none'; base-uri 'none'; \
     form-action 'none'",
);

const NO_SNIFF: HeaderValue = HeaderValue::from_static("nosniff");

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(method: Method, with: &[(&'static str, &'static str)]) -> bool {
        let headers = with
            .iter()
            .map(|(name, value)| {
                let name = header::HeaderName::from_static(name);
                (name, HeaderValue::from_static(value))
            })
            .collect();
        check(&method, &headers).is_ok()
    }

    #[test]
    fn scripts_and_our_page_may_call() {
        assert!(asked(Method::POST, &[("host", "127.0.0.1:8080")]));
        assert!(asked(Method::GET, &[("host", "localhost")]));
        let page = [
            ("host", "localhost:8080"),
            ("origin", "http://localhost:8080"),
            ("sec-fetch-site", "same-origin"),
        ];
        assert!(asked(Method::POST, &page));
    }

    #[test]
    fn other_sites_may_not() {
        let page = [("host", "127.0.0.1:8080"), ("origin", "http://evil.example")];
        assert!(!asked(Method::POST, &page));
        let other_port = [("host", "127.0.0.1:8080"), ("origin", "http://127.0.0.1:9")];
        assert!(!asked(Method::POST, &other_port));
        let image = [("host", "127.0.0.1:8080"), ("sec-fetch-site", "cross-site")];
        assert!(!asked(Method::GET, &image));
        assert!(!asked(Method::GET, &[("host", "rebound.example:8080")]));
        assert!(!asked(Method::GET, &[]));
    }

    #[test]
    fn a_link_from_elsewhere_opens_the_page_and_does_no_more() {
        let link = [
            ("host", "127.0.0.1:8080"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-mode", "navigate"),
        ];
        assert!(asked(Method::GET, &link));
        assert!(!asked(Method::POST, &link));
    }
}
