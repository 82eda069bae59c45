// Receives an accepted stream's first message and finds the storage that it asks for.
#ifndef ZRS_SIDECAR_TRANSPORT_GREETER_H_
#define ZRS_SIDECAR_TRANSPORT_GREETER_H_

#include <memory>

#include "absl/time/time.h"
#include "sidecar/transport/replication_server.h"
#include "sidecar/transport/stream_core.h"

namespace zrs::transport {

using PublisherCore = StreamCore<v1::PublisherMessage, v1::FollowerMessage>;

// Hands the stream over once its Hello is there; ends it with a reason when that does not come within `timeout`, is
// none, or asks for what there is not. Returns at once. The core is attached to its wire.
void Greet(std::shared_ptr<PublisherCore> core, FindStorage find_storage, absl::Duration timeout);

// Ends a stream that nobody takes: sends `end`, which says why, then closes with `status`.
void Refuse(PublisherCore& core, v1::End end, absl::Status status = absl::OkStatus());

}  // namespace zrs::transport

#endif  // ZRS_SIDECAR_TRANSPORT_GREETER_H_
