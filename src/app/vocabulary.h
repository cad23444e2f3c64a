// What a configuration file may say: every kind of provider and every section, with the numbers
// that the program knows them by, and the reader made from them.
#pragma once

#include <memory>

#include "app/config.h"
#include "app/snapshot_builder.h"
#include "core/section_table.h"
#include "exchange/settings.h"
#include "features/access/roles/config.h"
#include "features/insight/access_log/config.h"
#include "features/insight/ledger/config.h"
#include "features/insight/traces/config.h"
#include "features/privacy/minimise/config.h"
#include "features/privacy/pii/config.h"
#include "features/traffic/cache/config.h"
#include "features/traffic/faq/config.h"
#include "features/traffic/limits/config.h"
#include "features/traffic/overload/config.h"
#include "features/traffic/routing/config.h"
#include "platform/config/config.h"

namespace causeway::app {

struct Vocabulary {
  Vocabulary();

  config::Registry registry;
  SectionTable sections{registry};
  exchange::SettingKeys settings;
  SectionKey<roles::AllowedModels> models;
  SectionKey<routing::PassThrough> pass_through;
  SectionKey<routing::Priority> priority;
  SectionKey<access_log::AccessLogSettings> log;
  SectionKey<ledger::LedgerSettings> ledger;
  SectionKey<traces::TraceSettings> traces;
  SectionKey<faq::FaqSettings> faq;
  SectionKey<minimise::MinimiseSettings> minimise;
  SectionKey<pii::Settings> pii;
  SectionKey<cache::CacheSettings> cache;
  SectionKey<limits::LimitList> limits;
  SectionKey<overload::OverloadSettings> overload;
  std::unique_ptr<config::Schema<AppConfig>> schema;
};

keys::ConfigKey config_key(const KeyConfig& config);
/// Adds what is wrong with the keys of a configuration.
void check_keys(const AppConfig& config, config::Problems& problems);
/// Adds what is wrong with the rules of models, as far as other parts of the file bear on it.
void check_rules(const AppConfig& config, config::Problems& problems);
/// Adds what is wrong with the names of models and providers in policies.
void check_policies(const AppConfig& config, config::Problems& problems);

}  // namespace causeway::app
