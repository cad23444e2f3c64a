# What is installed, and the target `package` that makes a .deb of it (deploy/README.md tells more).
# Nothing here is built by default: the target builds the program, the engine for every processor of
# this architecture, and the manual, and nothing else.
include(GNUInstallDirs)

set(engine_dir ${PROJECT_BINARY_DIR}/package/engine)
set(manual_dir ${PROJECT_BINARY_DIR}/package/manual)
set(deb_dir ${PROJECT_SOURCE_DIR}/deploy/deb)
find_package(Python3 QUIET COMPONENTS Interpreter)

add_custom_command(OUTPUT ${manual_dir}/causeway.1
  COMMAND ${Python3_EXECUTABLE} ${PROJECT_SOURCE_DIR}/deploy/manual/make_manual.py
    $<TARGET_FILE:causeway> ${manual_dir}
  COMMAND gzip -9nkf ${manual_dir}/causeway.1
  COMMAND ${PROJECT_SOURCE_DIR}/deploy/deb/make_changelog ${PROJECT_VERSION}
    ${manual_dir}/changelog.gz
  DEPENDS causeway ${PROJECT_SOURCE_DIR}/deploy/manual/make_manual.py
    ${PROJECT_SOURCE_DIR}/deploy/manual/man_page.py ${PROJECT_SOURCE_DIR}/deploy/manual/shells.py
    ${PROJECT_SOURCE_DIR}/deploy/deb/make_changelog
  VERBATIM)
add_custom_target(manual DEPENDS ${manual_dir}/causeway.1)

install(TARGETS causeway RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY ${engine_dir}/ DESTINATION lib/causeway USE_SOURCE_PERMISSIONS
  PATTERN LICENSE EXCLUDE)
# The catalogue of models and what fetches them, laid out as in the source.
install(FILES third_party/manifest DESTINATION share/causeway/third_party)
install(PROGRAMS scripts/tools/fetch.py scripts/tools/bert_to_gguf.py scripts/tools/gunzip.py
  DESTINATION share/causeway/scripts/tools)
install(DIRECTORY scripts/tools/fetching DESTINATION share/causeway/scripts/tools
  FILES_MATCHING PATTERN *.py)
install(FILES docs/configuration.md docs/install.md docs/operations.md docs/errors.md docs/keys.md
    docs/embedded-models.md docs/policies.md docs/ledger.md docs/metrics-and-log.md docs/console.md
    docs/causeway.schema.json ${manual_dir}/changelog.gz ${deb_dir}/copyright
  DESTINATION share/doc/causeway)
install(FILES ${manual_dir}/causeway.1.gz DESTINATION share/man/man1)
install(FILES ${manual_dir}/causeway.bash DESTINATION share/bash-completion/completions
  RENAME causeway)
install(FILES ${manual_dir}/_causeway DESTINATION share/zsh/vendor-completions)
install(FILES ${manual_dir}/causeway.fish DESTINATION share/fish/vendor_completions.d)
# Of the machine's service: in the .deb only.
install(FILES ${deb_dir}/causeway.service DESTINATION /lib/systemd/system COMPONENT service
  EXCLUDE_FROM_ALL)
install(FILES ${deb_dir}/causeway.yaml DESTINATION /etc/causeway COMPONENT service EXCLUDE_FROM_ALL)
install(FILES ${deb_dir}/environment DESTINATION /etc/causeway COMPONENT service EXCLUDE_FROM_ALL
  PERMISSIONS OWNER_READ OWNER_WRITE)
install(FILES ${deb_dir}/lintian-overrides DESTINATION share/lintian/overrides RENAME causeway
  COMPONENT service EXCLUDE_FROM_ALL)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME causeway)
set(CPACK_PACKAGE_VENDOR "Causeway")
set(CPACK_PACKAGE_CONTACT "Causeway maintainers <maintainers@causeway.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "gateway between applications and language models")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
"Applications point their ordinary OpenAI client at Causeway and change nothing
else. Behind it stand cloud APIs, self-hosted servers and a model that Causeway
runs by itself. Keys, policies, fallback, usage and cost, metrics and an access
log are there once, for all of them.

The package has the program, the engine for embedded models (llama-server) and
a hardened systemd service. The embedded chat model is fetched when it is first
used.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_SET_DESTDIR OFF)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_CMAKE_PROJECTS
  "${PROJECT_BINARY_DIR};causeway;Unspecified;/;${PROJECT_BINARY_DIR};causeway;service;/")
set(CPACK_OUTPUT_FILE_PREFIX ${PROJECT_BINARY_DIR}/package)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "adduser, libcld2-0, libcurl4") # which are loaded, not linked
# Python and its pip find the package index that the machine is set to use, for the models.
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "ca-certificates, python3, python3-pip")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "curl")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
  "${deb_dir}/conffiles;${deb_dir}/postinst;${deb_dir}/prerm;${deb_dir}/postrm")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
# A file of its own: with the usual one CMake would make a target `package` that builds all tests.
set(CPACK_OUTPUT_CONFIG_FILE ${PROJECT_BINARY_DIR}/package/CPackConfig.cmake)
set(CPACK_SOURCE_OUTPUT_CONFIG_FILE ${PROJECT_BINARY_DIR}/package/CPackSourceConfig.cmake)
include(CPack)

add_custom_target(package
  COMMAND ${PROJECT_SOURCE_DIR}/deploy/engine ${engine_dir}
  COMMAND cpack --config ${CPACK_OUTPUT_CONFIG_FILE}
  DEPENDS causeway manual
  USES_TERMINAL VERBATIM)
