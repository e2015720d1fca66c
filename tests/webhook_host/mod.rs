//! A host that takes webhooks on loopback, answers as the test says, and hands over what was posted.
#![allow(dead_code, unreachable_pub)] // each test file takes what it needs

use claimwire::model::Timestamp;
use claimwire::protocol::Headers;
use claimwire::webhook::{WebhookSecret, verify};
use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// One request as it came in.
#[derive(Clone, Debug)]
pub struct Post {
    pub line: String,
    pub headers: Headers,
    pub body: Vec<u8>,
}

impl Post {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_default()
    }

    pub fn id(&self) -> &str {
        self.header("webhook-id")
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub fn r#type(&self) -> String {
        self.json()["type"].as_str().unwrap().to_owned()
    }

    pub fn partner(&self) -> String {
        self.json()["data"]["partner"].as_str().unwrap().to_owned()
    }

    /// Checks the signature as a host would that hears it at `now`.
    pub fn verified_at(&self, now: Timestamp, secret: &WebhookSecret) -> claimwire::Result<&str> {
        verify(&self.headers, &self.body, std::slice::from_ref(secret), now, Duration::from_secs(60))
    }
}

pub struct Host {
    pub url: String,
    posts: Receiver<Post>,
    script: Arc<Mutex<VecDeque<String>>>,
}

impl Host {
    /// Answers with these heads (status and header lines), one after the other, then with 204.
    pub fn answering(script: &[&str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/hooks/claimwire/", listener.local_addr().unwrap());
        let (tell, posts) = channel();
        let script: VecDeque<String> = script.iter().map(|head| (*head).to_owned()).collect();
        let script = Arc::new(Mutex::new(script));
        let heads = script.clone();
        std::thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                // A poster may die half way, and the next one is served all the same.
                let Ok(post) = read(&stream) else { continue };
                let head = heads.lock().unwrap().pop_front();
                let head = head.unwrap_or_else(|| "204 No Content".to_owned());
                if tell.send(post).is_err() {
                    return;
                }
                let _ = answer(stream, &head);
            }
        });
        Self { url, posts, script }
    }

    /// Answers the next post that nothing was said of yet with this head.
    pub fn will_answer(&self, head: &str) {
        self.script.lock().unwrap().push_back(head.to_owned());
    }

    /// From now on everything is answered with 204.
    pub fn calm_down(&self) {
        self.script.lock().unwrap().clear();
    }

    /// What was posted since the last call. An answered post is among it.
    pub fn posts(&self) -> Vec<Post> {
        self.posts.try_iter().collect()
    }

    /// The next post, which another thread makes.
    pub fn next(&self) -> Post {
        self.posts.recv_timeout(Duration::from_secs(30)).expect("a post comes")
    }
}

fn read(stream: &TcpStream) -> std::io::Result<Post> {
    let mut reader = BufReader::new(stream);
    let line = next_line(&mut reader)?;
    let mut headers = Headers::new();
    loop {
        let field = next_line(&mut reader)?;
        let Some((name, value)) = field.split_once(": ") else { break };
        headers.append(name, value).map_err(std::io::Error::other)?;
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(Post { line, headers, body })
}

/// A line without its end; a poster that is gone has no empty line.
fn next_line(reader: &mut impl BufRead) -> std::io::Result<String> {
    let mut line = String::new();
    match reader.read_line(&mut line)? {
        0 => Err(std::io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(line.trim_end().to_owned()),
    }
}

fn answer(mut stream: TcpStream, head: &str) -> std::io::Result<()> {
    stream.write_all(format!("HTTP/1.1 {head}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").as_bytes())
}
