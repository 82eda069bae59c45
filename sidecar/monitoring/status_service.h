// The read-only Status service: what `zrs status` tells, for whoever may ask.
#ifndef ZRS_SIDECAR_MONITORING_STATUS_SERVICE_H_
#define ZRS_SIDECAR_MONITORING_STATUS_SERVICE_H_

#include <memory>
#include <string>
#include <vector>

#include "sidecar/storage/storage.h"
#include "sidecar/transport/queued_service.h"

namespace zrs::monitoring {

// zrs.v1.Status over `storages`, which outlive it. `version`: the software's. For servers that outlive no storage's
// strand: each answer comes from there.
std::unique_ptr<transport::QueuedService> MakeStatusService(std::vector<storage::Storage*> storages,
                                                            const std::string& version);

}  // namespace zrs::monitoring

#endif  // ZRS_SIDECAR_MONITORING_STATUS_SERVICE_H_
