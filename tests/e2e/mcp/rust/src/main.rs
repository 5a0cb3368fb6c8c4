//! The official Rust client against a gateway: connects, lists, calls, reads, prompts, completes, gets
//! progress, cancels, and prints what it saw as one JSON object. Then, for each line on standard input,
//! one more call, so that a test can end and start the gateway in between.
//!
//!     rmcp-client URL MODE      MODE: initialize, auto or discover
use std::error::Error;
use std::io::BufRead;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rmcp::model::{
    CallToolRequest, CallToolRequestParams, ClientRequest, GetPromptRequestParams,
    ProgressNotificationParam, ProtocolVersion, ReadResourceRequestParams,
};
use rmcp::service::{NotificationContext, PeerRequestOptions, RunningService};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::{ClientHandler, ClientLifecycleMode, ClientServiceExt, RoleClient};
use serde_json::{json, Value};

/// Keeps the progress that it is told.
#[derive(Clone, Default)]
struct Watcher {
    steps: Arc<Mutex<Vec<f64>>>,
}

impl ClientHandler for Watcher {
    async fn on_progress(
        &self,
        params: ProgressNotificationParam,
        _context: NotificationContext<RoleClient>,
    ) {
        self.steps.lock().unwrap().push(params.progress);
    }
}

type Client = RunningService<RoleClient, Watcher>;
type Outcome<T> = Result<T, Box<dyn Error>>;

fn lifecycle(mode: &str) -> ClientLifecycleMode {
    let preferred_versions = vec![ProtocolVersion::V_2026_07_28];
    match mode {
        "discover" => ClientLifecycleMode::Discover { preferred_versions },
        "auto" => ClientLifecycleMode::Auto { preferred_versions, legacy_version: None },
        _ => ClientLifecycleMode::Initialize,
    }
}

fn call(tool: &'static str, arguments: Value) -> CallToolRequestParams {
    CallToolRequestParams::new(tool).with_arguments(arguments.as_object().cloned().unwrap_or_default())
}

/// How many calls the services have seen cancelled.
async fn cancelled(client: &Client) -> Outcome<u64> {
    let answer = client.call_tool(call("list_dealers", json!({"query": "cancels"}))).await?;
    let total = serde_json::to_value(answer)?["structuredContent"]["total"].as_u64();
    Ok(total.ok_or("list_dealers has no total")?)
}

/// Gives up a call that hangs, and waits until the services have heard of it.
async fn cancel(client: &Client) -> Outcome<u64> {
    let before = cancelled(client).await?;
    let request = CallToolRequest::new(call("compare_dealer_sessions", json!({"region": "hang"})));
    let handle = client
        .send_cancellable_request(ClientRequest::CallToolRequest(request), PeerRequestOptions::no_options())
        .await?;
    tokio::time::sleep(Duration::from_secs(1)).await; // it runs by then, or waits: both may be cancelled
    handle.cancel(Some("enough".into())).await?;
    loop {
        let now = cancelled(client).await? - before;
        if now > 0 {
            return Ok(now);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The steps of a call that reports three. The client hands notifications to tasks of their own, which may
/// run after the answer is there, and in any order.
async fn progress(client: &Client, watcher: &Watcher) -> Outcome<Vec<f64>> {
    client.call_tool(call("compare_dealer_sessions", json!({"region": "West"}))).await?;
    loop {
        let mut steps = watcher.steps.lock().unwrap().clone();
        if steps.len() >= 3 {
            steps.sort_by(f64::total_cmp);
            return Ok(steps);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn see(client: &Client, watcher: &Watcher) -> Outcome<Value> {
    let tools: Vec<_> = client.list_all_tools().await?.into_iter().map(|t| t.name).collect();
    let resources: Vec<_> = client.list_all_resources().await?.into_iter().map(|r| r.uri.clone()).collect();
    let prompt = json!({"dealer": "Ford of Reno"}).as_object().cloned().unwrap_or_default();
    let found = client.call_tool(call("list_dealers", json!({"query": "ford"}))).await?;
    let refused = client.call_tool(call("list_dealers", json!({"region": "nowhere"}))).await?;
    let read = client.read_resource(ReadResourceRequestParams::new("analytics://dealers")).await?;
    let prompted = client
        .get_prompt(GetPromptRequestParams::new("website_against_region").with_arguments(prompt))
        .await?;
    let values = client.complete_prompt_simple("monthly_review", "dealer", "Fo").await?;
    Ok(json!({
        "version": client.peer_info().map(|p| p.protocol_version.as_str().to_owned()),
        "tools": tools,
        "resources": resources,
        "templates": client.list_all_resource_templates().await?.len(),
        "prompts": client.list_all_prompts().await?.len(),
        "call": found,
        "error": refused,
        "read": read,
        "prompt": prompted,
        "values": values,
        "progress": progress(client, watcher).await?,
        "cancelled": cancel(client).await?,
    }))
}

#[tokio::main]
async fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().ok_or("usage: rmcp-client URL MODE")?;
    let mode = arguments.next().unwrap_or_default();
    let watcher = Watcher::default();
    let transport = StreamableHttpClientTransport::from_uri(url);
    let client = watcher.clone().serve_with_lifecycle(transport, lifecycle(&mode)).await?;
    println!("{}", tokio::time::timeout(Duration::from_secs(60), see(&client, &watcher)).await??);
    for line in std::io::stdin().lock().lines() {
        let answer = client.call_tool(call("list_dealers", json!({"query": line?}))).await;
        let seen = answer.map(|a| json!(a)).unwrap_or_else(|e| json!({"failed": e.to_string()}));
        println!("{seen}");
    }
    client.cancel().await?;
    Ok(())
}
