// Check digits of cards, accounts and numbers of persons. Each takes a number without spaces and
// dashes, letters in upper case, of a shape that its rule has already seen. The rules' tables say
// where each is published.
#pragma once

#include <string_view>

namespace causeway::pii {

using Check = bool (*)(std::string_view compact);

namespace checks {

// Methods that many use.
bool luhn(std::string_view digits);
bool verhoeff(std::string_view digits);
bool mod_97(std::string_view alphanumeric);    // ISO 7064 MOD 97-10, letters as 10 to 35
bool mod_11_10(std::string_view digits);       // ISO 7064 MOD 11,10
bool varied(std::string_view digits);          // not one digit repeated, not 123456789
bool month_day(std::string_view two_and_two);  // "MMDD" that is in a calendar

// Money.
bool card(std::string_view digits);
bool iban(std::string_view compact);
bool aba(std::string_view digits);
bool swift(std::string_view compact);
bool clabe(std::string_view digits);

// Persons, by country.
bool us_ssn(std::string_view digits);
bool us_itin(std::string_view digits);
bool us_ein(std::string_view digits);
bool uk_nino(std::string_view compact);
bool uk_utr(std::string_view digits);
bool de_steuer_id(std::string_view digits);
bool de_rvnr(std::string_view compact);
bool de_kvnr(std::string_view compact);
bool icao_document(std::string_view compact);  // last digit with weights 7 3 1
bool fr_nir(std::string_view compact);
bool fr_spi(std::string_view digits);
bool es_dni(std::string_view compact);
bool es_nie(std::string_view compact);
bool es_cif(std::string_view compact);
bool es_naf(std::string_view digits);
bool it_codice_fiscale(std::string_view compact);
bool nl_bsn(std::string_view digits);
bool pl_pesel(std::string_view digits);
bool pl_nip(std::string_view digits);
bool pl_regon(std::string_view digits);
bool pl_id_card(std::string_view compact);
bool br_cpf(std::string_view digits);
bool br_cnpj(std::string_view digits);
bool in_aadhaar(std::string_view digits);
bool in_pan(std::string_view compact);
bool be_nn(std::string_view digits);
bool pt_nif(std::string_view digits);
bool se_personnummer(std::string_view digits);
bool no_fodselsnummer(std::string_view digits);
bool dk_cpr(std::string_view digits);
bool fi_hetu(std::string_view compact);
bool ch_ahv(std::string_view digits);
bool at_svnr(std::string_view digits);
bool ie_pps(std::string_view compact);
bool ca_sin(std::string_view digits);
bool au_tfn(std::string_view digits);
bool au_medicare(std::string_view digits);
bool au_abn(std::string_view digits);
bool nz_ird(std::string_view digits);
bool mx_curp(std::string_view compact);
bool mx_rfc(std::string_view compact);
bool za_id(std::string_view digits);
bool kr_rrn(std::string_view digits);
bool jp_my_number(std::string_view digits);
bool cn_resident_id(std::string_view compact);
bool sg_nric(std::string_view compact);
bool tr_kimlik(std::string_view digits);
bool cz_birth_number(std::string_view digits);
bool ro_cnp(std::string_view digits);
bool bg_egn(std::string_view digits);
bool gr_afm(std::string_view digits);
bool hr_oib(std::string_view digits);
bool ee_isikukood(std::string_view digits);
bool cl_rut(std::string_view compact);
bool ar_cuit(std::string_view digits);
bool il_id(std::string_view digits);
bool th_id(std::string_view digits);
bool tw_id(std::string_view compact);
bool hk_id(std::string_view compact);
bool my_nric(std::string_view digits);

// Health.
bool uk_nhs(std::string_view digits);
bool us_npi(std::string_view digits);
bool us_dea(std::string_view compact);

// Coins.
bool base58check(std::string_view text);  // as written, not in upper case
bool bech32(std::string_view text);

}  // namespace checks
}  // namespace causeway::pii
