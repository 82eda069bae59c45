// What every gRPC server of the process offers beside its own services.
#ifndef ZRS_SIDECAR_TRANSPORT_COMMON_SERVICES_H_
#define ZRS_SIDECAR_TRANSPORT_COMMON_SERVICES_H_

namespace zrs::transport {

// Health (grpc.health.v1) and reflection, on every server that is built from then on. Thread-safe; once is enough.
void EnableCommonServices();

}  // namespace zrs::transport

#endif  // ZRS_SIDECAR_TRANSPORT_COMMON_SERVICES_H_
