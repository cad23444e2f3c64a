# The console's files (web/console/dist, built and committed) become part of the program.
find_package(Python3 REQUIRED COMPONENTS Interpreter)
set(console_dir ${PROJECT_SOURCE_DIR}/web/console/dist)
set(console_source ${PROJECT_BINARY_DIR}/console/console_files.cpp)
file(GLOB_RECURSE console_files CONFIGURE_DEPENDS ${console_dir}/*)
add_custom_command(OUTPUT ${console_source}
  COMMAND ${Python3_EXECUTABLE} ${PROJECT_SOURCE_DIR}/cmake/pack_files.py ${console_dir}
    ${console_source}
  DEPENDS ${console_files} ${PROJECT_SOURCE_DIR}/cmake/pack_files.py
  VERBATIM)
target_sources(app PRIVATE ${console_source})
set_property(SOURCE ${console_source} PROPERTY OBJECT_DEPENDS "${console_files}")
