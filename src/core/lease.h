// Something that is held while a call lasts.
#pragma once

namespace causeway {

/// Given back by its destructor: an engine's slot, a permit.
class Lease {
 public:
  Lease() = default;
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  virtual ~Lease() = default;
};

}  // namespace causeway
