#include "sidecar/replication/end_message.h"

#include "sidecar/text/printable.h"

namespace zrs::replication {

v1::End MakeEnd(v1::End::Reason reason, absl::string_view message, absl::string_view remedy) {
  v1::End end;
  end.set_reason(reason);
  end.set_message(text::Clean(message, kLongestEndText));
  end.set_remedy(text::Clean(remedy, kLongestEndText));
  return end;
}

}  // namespace zrs::replication
