//! The endpoint inside a web server of the host's own.

use crate::transport_tls::{Answering, ok};
use axum::routing::get;
use axum::{Extension, Router};
use claimwire::protocol::{Peer, Request, Route};
use claimwire::receiver::{EndpointService, ReceiverSettings};
use claimwire::transport::{Body, HttpsSettings, HttpsTransport, Reply, Transport};
use std::io::Read;
use std::sync::Arc;

#[test]
fn it_is_mounted_in_an_axum_router_beside_other_routes() {
    let endpoint = Answering(|request: &Request, peer: &Peer, body: &mut dyn Read| {
        let mut text = String::new();
        body.read_to_string(&mut text).unwrap();
        ok(format!("{} {text} {}", request.path(), peer.fingerprint().unwrap()))
    });
    let service = EndpointService::new(Arc::new(endpoint), ReceiverSettings::default());
    // The host's own TLS layer says who is there.
    let peer = Peer::unknown().with_certificate(*b"certificate");
    let app: Router = Router::new()
        .route("/health", get(|| async { "well" }))
        .nest_service("/claimwire", service)
        .layer(Extension(peer.clone()));

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let url = format!("http://{}/claimwire", listener.local_addr().unwrap());
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let server = std::thread::spawn(move || {
        runtime.block_on(async {
            let stopped = async { stopped.await.unwrap_or_default() };
            axum::serve(listener, app).with_graceful_shutdown(stopped).await.unwrap();
        });
    });

    let transport = HttpsTransport::new(HttpsSettings::new(&url).unwrap()).unwrap();
    let request = Request::new("POST", &Route::Package.path(transport.base_path())).unwrap();
    let reply = transport.send(&request, Body::new(5, &mut &b"claim"[..])).unwrap();
    let Reply::Answered(response) = reply else { panic!("{reply:?}") };
    let expected = format!("/claimwire/packages claim {}", peer.fingerprint().unwrap());
    assert_eq!(String::from_utf8_lossy(response.body()), expected);
    drop(stop);
    server.join().unwrap();
}
