#include "platform/net/detail/readiness.h"

#include <poll.h>
#include <unistd.h>

#include <type_traits>

namespace causeway::net {
namespace {

using Descriptor = std::remove_pointer_t<asio::detail::reactor::per_descriptor_data>;
using Noted = bool[asio::detail::reactor::max_ops];

// What Asio has noted of a descriptor's events, and shows to nobody: an error or a hang-up marks
// every kind of operation, also the one that nothing here ever waits for. (A member's name in an
// explicit instantiation need not be accessible.)
Noted& noted_of(Descriptor& descriptor);
template <Noted Descriptor::* Member>
struct Reach {
  friend Noted& noted_of(Descriptor& descriptor) { return descriptor.*Member; }
};
template struct Reach<&Descriptor::try_speculative_>;

constexpr int kNeverWaitedFor = asio::detail::reactor::except_op;

}  // namespace

class Readiness::Operation final : public asio::detail::reactor_op {
 public:
  Operation(Listener& listener, Direction direction)
      : reactor_op(boost::system::error_code(), &Operation::perform, &Operation::complete),
        listener_(&listener),
        direction_(direction) {}

  /// Whoever started it is gone: it destroys itself when the loop lets go of it.
  void orphan() { listener_ = nullptr; }
  void started() {
    ec_ = {};
    queued_ = true;
  }
  bool queued() const { return queued_; }

 private:
  static status perform(reactor_op*) {
    // "Exhausted": the next wait is for the next edge.
    return done_and_exhausted;
  }

  static void complete(void* owner, asio::detail::operation* base, const boost::system::error_code&,
                       std::size_t) {
    auto* self = static_cast<Operation*>(base);
    self->queued_ = false;
    if (!self->listener_) {
      delete self;
    } else if (owner) {  // else the loop is being destroyed: nobody is to be woken
      self->listener_->ready(self->direction_, self->ec_);
    }
  }

  Listener* listener_;
  Direction direction_;
  bool queued_ = false;
};

Readiness::Readiness(LoopImpl& loop, Listener& listener)
    : reactor_(asio::use_service<asio::detail::reactor>(loop.context)),
      read_(std::make_unique<Operation>(listener, kRead)),
      write_(std::make_unique<Operation>(listener, kWrite)) {
  reactor_.init_task();
}

Readiness::~Readiness() {
  close();
  for (auto* operation : {&read_, &write_}) {
    if (!(*operation)->queued()) continue;
    (*operation)->orphan();
    static_cast<void>(operation->release());
  }
}

std::error_code Readiness::open(int descriptor) {
  if (const int number = reactor_.register_descriptor(descriptor, data_)) {
    data_ = nullptr;
    return {number, std::system_category()};
  }
  descriptor_ = descriptor;
  noted_of(*data_)[kNeverWaitedFor] = false;
  return {};
}

bool Readiness::has_hung_up() {
  if (!data_ || !noted_of(*data_)[kNeverWaitedFor]) return false;
  pollfd look{descriptor_, 0, 0};
  if (::poll(&look, 1, 0) > 0 && look.revents & (POLLERR | POLLHUP)) return true;
  noted_of(*data_)[kNeverWaitedFor] = false;  // it was an out-of-band byte
  return false;
}

void Readiness::close() {
  if (descriptor_ < 0) return;
  reactor_.deregister_descriptor(descriptor_, data_, true);
  ::close(descriptor_);
  reactor_.cleanup_descriptor_data(data_);
  data_ = nullptr;
  descriptor_ = -1;
}

void Readiness::cancel() {
  if (descriptor_ >= 0) reactor_.cancel_ops(descriptor_, data_);
}

void Readiness::wait(Direction direction, Since since) {
  Operation& operation = direction == kRead ? *read_ : *write_;
  operation.started();
  reactor_.start_op(direction, descriptor_, data_, &operation, false, since == Since::LastWait);
}

}  // namespace causeway::net
