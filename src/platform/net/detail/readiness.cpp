#include "platform/net/detail/readiness.h"

#include <unistd.h>

namespace causeway::net {

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
  return {};
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
