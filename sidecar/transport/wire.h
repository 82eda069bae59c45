// What a StreamCore asks of the network below it.
#ifndef ZRS_SIDECAR_TRANSPORT_WIRE_H_
#define ZRS_SIDECAR_TRANSPORT_WIRE_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace zrs::transport {

// One call on the network. Every function is called with the core's mutex held: it starts something and returns, and
// never calls back into the core from within. The core calls none of them after its OnWireDone.
template <typename Out>
class Wire {
 public:
  virtual ~Wire() = default;
  // Once, first. Answered by OnWireOpen, or by OnWireOver alone where the call comes to nothing.
  virtual void Begin() = 0;
  // One at a time, answered by OnWireWritten.
  virtual void StartWrite(Out message) = 0;
  // One at a time, answered by OnWireMessage, OnWireMalformed or OnWireReadEnd.
  virtual void StartRead() = 0;
  // Nothing is written after it. A client half-closes (and has no use for `status`); a server ends the call. Once, not
  // while a write is outstanding.
  virtual void EndSending(const absl::Status& status) = 0;
  // Tears the call down; whatever is outstanding is answered soon. Any number of times.
  virtual void Cancel() = 0;
  // Answered by OnWireTimer(id) after `delay`, if StopTimer was not called meanwhile (and perhaps even then). One at a
  // time.
  virtual void StartTimer(absl::Duration delay, uint64_t id) = 0;
  virtual void StopTimer() = 0;
};

}  // namespace zrs::transport

#endif  // ZRS_SIDECAR_TRANSPORT_WIRE_H_
