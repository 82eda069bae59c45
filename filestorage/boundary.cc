#include "filestorage/boundary.h"

namespace zrs::filestorage {

Boundary FirstBoundary(Magic magic) {
  return {.offset = kMagicSize, .last_offset = 0, .tid = 0, .digest = DigestOf(MagicBytes(magic))};
}

}  // namespace zrs::filestorage
