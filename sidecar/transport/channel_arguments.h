// How gRPC is set up, on either side.
#ifndef ZRS_SIDECAR_TRANSPORT_CHANNEL_ARGUMENTS_H_
#define ZRS_SIDECAR_TRANSPORT_CHANNEL_ARGUMENTS_H_

#include "absl/time/time.h"
#include "grpcpp/server_builder.h"
#include "grpcpp/support/channel_arguments.h"

namespace zrs::transport {

// A connection of its own, one attempt that takes at most `connect_timeout` per address, no proxy.
grpc::ChannelArguments ClientArguments(absl::Duration connect_timeout);

void SetServerArguments(grpc::ServerBuilder& builder);

}  // namespace zrs::transport

#endif  // ZRS_SIDECAR_TRANSPORT_CHANNEL_ARGUMENTS_H_
