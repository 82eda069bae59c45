#include "sidecar/transport/channel_arguments.h"

#include <string>
#include <utility>
#include <vector>

#include "grpc/grpc.h"
#include "sidecar/transport/message_codec.h"

namespace zrs::transport {
namespace {

constexpr int kKeepaliveMs = 10'000;
constexpr int kHandshakeMs = 20'000;
// What HTTP/2 lets a publisher send ahead of what a follower has read: more than the protocol, which is to be the
// limit.
constexpr int kLookahead = 8 << 20;

// What both sides set.
const std::vector<std::pair<std::string, int>>& CommonArguments() {
  static const auto* const arguments = new std::vector<std::pair<std::string, int>>{
      {GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, kLargestMessage},
      {GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs},
      {GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveMs},
      {GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1},
      // A batch in one frame, or few: with gRPC's 16 KiB the same bytes take a quarter more processor time.
      {GRPC_ARG_HTTP2_MAX_FRAME_SIZE, 1 << 20},
      // The window is ours (kLookahead): probing for a better one wakes up an idle process, on both sides.
      {GRPC_ARG_HTTP2_BDP_PROBE, 0},
      // An idle stream is kept alive for as long as it takes.
      {GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0},
  };
  return *arguments;
}

}  // namespace

grpc::ChannelArguments ClientArguments(absl::Duration connect_timeout) {
  grpc::ChannelArguments arguments;
  for (const auto& [name, value] : CommonArguments()) arguments.SetInt(name, value);
  arguments.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, kLookahead);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  // The name service is asked for addresses alone, and not for longer than it may take to connect.
  arguments.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  const int timeout_ms = static_cast<int>(absl::ToInt64Milliseconds(connect_timeout));
  arguments.SetInt(GRPC_ARG_DNS_ARES_QUERY_TIMEOUT_MS, timeout_ms);
  // gRPC gives a connection attempt as long as it would wait before the next one.
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, timeout_ms);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, timeout_ms);
  return arguments;
}

void SetServerArguments(grpc::ServerBuilder& builder) {
  for (const auto& [name, value] : CommonArguments()) builder.AddChannelArgument(name, value);
  // Keepalive pings of followers are welcome: they never earn a "too many pings".
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, kKeepaliveMs / 2);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PING_STRIKES, 0);
  // Who connects and says nothing takes a descriptor for no longer than this.
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, kHandshakeMs);
}

}  // namespace zrs::transport
