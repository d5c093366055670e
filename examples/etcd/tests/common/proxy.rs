//! A connection that a test can cut.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch::{self, Receiver, Sender};

/// Stands between a client and a server.
pub(crate) struct Proxy {
    pub(crate) endpoint: String,
    state: Sender<State>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    Open,
    /// Questions go through, and answers do not.
    Deaf,
    /// Connections are closed, and new ones at once.
    Cut,
}

impl Proxy {
    pub(crate) async fn to(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port is free");
        let endpoint = listener.local_addr().expect("it is bound").to_string();
        let (sender, state) = watch::channel(State::Open);
        let server = server.to_owned();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (mut cut, state, server) = (state.clone(), state.clone(), server.clone());
                tokio::spawn(async move {
                    tokio::select! {
                        biased;
                        _ = cut.wait_for(|state| *state == State::Cut) => {}
                        _ = pass(client, server, state) => {}
                    }
                });
            }
        });
        Self {
            endpoint,
            state: sender,
        }
    }

    pub(crate) fn cut(&self) {
        self.state.send_replace(State::Cut);
    }

    /// Keeps all answers back, forever.
    pub(crate) fn lose_answers(&self) {
        self.state.send_replace(State::Deaf);
    }

    pub(crate) fn restore(&self) {
        self.state.send_replace(State::Open);
    }
}

async fn pass(mut client: TcpStream, server: String, mut state: Receiver<State>) -> io::Result<()> {
    let mut server = TcpStream::connect(server).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (mut from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = server.split();
    let questions = copy(&mut from_client, &mut to_server);
    let answers = async {
        let mut buffer = vec![0; 16_384];
        loop {
            let length = from_server.read(&mut buffer).await?;
            let _ = state.wait_for(|state| *state == State::Open).await;
            if length == 0 {
                return Ok::<_, io::Error>(());
            }
            to_client.write_all(&buffer[..length]).await?;
        }
    };
    tokio::try_join!(questions, answers)?;
    Ok(())
}
