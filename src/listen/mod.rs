//! Sockets in: accept, serve HTTP/1.1 and HTTP/2 on each connection, drain.

mod accept; // bind, accept loop, connection permits
mod tls; // server certificates

pub use accept::{Bound, bind};
pub use tls::Certificates;
