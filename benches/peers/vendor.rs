//! The stub vendor: reads a request to its end and sends the reply that is due, prepared beforehand. It looks at nothing,
//! so it costs the same whoever asks.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};

use crate::Failure;
use crate::http1::Buffer;

#[derive(Clone, Debug)]
pub struct Vendor {
    pub address: SocketAddr,
    reply: Arc<Mutex<Bytes>>,
}

impl Vendor {
    pub async fn start() -> Result<Self, Failure> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let vendor = Self { address: listener.local_addr()?, reply: Arc::default() };
        let accepting = vendor.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // A proxy that hangs up is no news.
                tokio::spawn(accepting.clone().serve(stream));
            }
        });
        Ok(vendor)
    }

    /// From now on every request gets this reply. Calls of one kind at a time: nothing in a request has to say which.
    pub fn replies(&self, reply: &Bytes) {
        *self.reply.lock().expect("nobody panics with it") = reply.clone();
    }

    async fn serve(self, mut stream: TcpStream) -> Result<(), Failure> {
        stream.set_nodelay(true)?;
        let mut buffer = Buffer::default();
        while let Some((_, framing)) = buffer.head(&mut stream).await? {
            buffer.body(&mut stream, framing, None).await?;
            let reply = self.reply.lock().expect("nobody panics with it").clone();
            stream.write_all(&reply).await?;
        }
        Ok(())
    }
}
