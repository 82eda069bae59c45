// Streams to publishers over gRPC.
#ifndef ZRS_SIDECAR_TRANSPORT_GRPC_DIALER_H_
#define ZRS_SIDECAR_TRANSPORT_GRPC_DIALER_H_

#include <memory>

#include "sidecar/transport/message_stream.h"

namespace zrs::transport {

// Thread-safe. Environment proxies (http_proxy) are not obeyed; half-open connections are noticed by keepalive within
// 30 s. Each Dial makes a connection of its own, and its only attempt: backing off is the caller's.
std::unique_ptr<Dialer> MakeGrpcDialer();

}  // namespace zrs::transport

#endif  // ZRS_SIDECAR_TRANSPORT_GRPC_DIALER_H_
