// Streams to publishers over gRPC.
#ifndef ZRS_SIDECAR_TRANSPORT_GRPC_DIALER_H_
#define ZRS_SIDECAR_TRANSPORT_GRPC_DIALER_H_

#include <memory>

#include "absl/time/time.h"
#include "sidecar/transport/message_stream.h"

namespace zrs::transport {

struct DialerOptions {
  absl::Duration connect_timeout = absl::Seconds(5);  // per address that a host's name has; twice that until it answers
  absl::Duration close_timeout = kCloseTimeout;       // from Close until the stream is torn down
  int threads = 1;                                    // that the streams' events are called on
};

// Thread-safe. Environment proxies (http_proxy) are not obeyed; half-open connections are noticed by keepalive within
// 30 s. Each Dial makes a connection of its own, when the stream is started, and its only attempt: backing off is the
// caller's. A connection that cannot be made is closed as Unavailable, naming the address and the cause; an address
// that is none as InvalidArgument.
//
// Destroying the dialer tears down what streams there are and waits until each has called OnClosed; so not from within
// an event.
std::unique_ptr<Dialer> MakeGrpcDialer(DialerOptions options = DialerOptions());

}  // namespace zrs::transport

#endif  // ZRS_SIDECAR_TRANSPORT_GRPC_DIALER_H_
