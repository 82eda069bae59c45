// gRPC's library, in a process that is idle for most of its life.
#ifndef ZRS_SIDECAR_TRANSPORT_GRPC_LIBRARY_H_
#define ZRS_SIDECAR_TRANSPORT_GRPC_LIBRARY_H_

namespace zrs::transport {

// Brings gRPC up for the life of the process; once, any thread, before anything else of gRPC is made. (When the
// library's last user goes it waits for its own threads, and one of them may be in a poll that takes 10 s to return.)
//
// gRPC's timers may be late by up to a second then. gRPC 1.51 keeps them in two parts for each processor, and each part
// wakes up a thread once a second though nothing is in it: four times a second on two processors, 32 times on 16. With
// that slack the kernel wakes it up when a processor is awake anyway, and for several parts at once. What waits by
// these timers are deadlines of two seconds and more: keepalive, connections, handshakes, the grace of a stream that is
// to close. Where something of gRPC was made before, nothing is late, and all is as it was.
void BringUpGrpc();

}  // namespace zrs::transport

#endif  // ZRS_SIDECAR_TRANSPORT_GRPC_LIBRARY_H_
