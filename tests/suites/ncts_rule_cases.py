"""One message that breaks each rule, and one that keeps it: places and what stands there, None for nothing."""

HOUSE = "Consignment/HouseConsignment"
ITEM = f"{HOUSE}/ConsignmentItem"

CASES: dict[str, tuple[str, dict[str, str | None], dict[str, str | None]]] = {
    "C0012": (
        "CD143C",
        {"Enquiry/responseCode": "3", "Enquiry/text": None},
        {"Enquiry/responseCode": "3", "Enquiry/text": None, "Enquiry/returnCopyReturnedDate": "2026-04-01"},
    ),
    "C0013": ("CD143C", {"Enquiry/text": None}, {}),
    "C0015": (
        "CD001C",
        {f"{ITEM}/AdditionalReference/type": "C651"},
        {
            f"{ITEM}/AdditionalReference/type": "C651",
            f"{ITEM}/AdditionalReference/referenceNumber": "X1",
        },
    ),
    "C0029": ("CD050C", {"TransitOperation/security": "2"}, {}),
    "C0030": ("CD001C", {"TransitOperation/declarationType": "T2SM"}, {}),
    "C0040": (
        "CD180C",
        {"Consignment/Incident/code": "3", "Consignment/Incident/Transhipment/containerIndicator": "1"},
        {},
    ),
    "C0045": (
        "CD001C",
        {"TransitOperation/declarationType": "T"},
        {"TransitOperation/declarationType": "T", f"{ITEM}/declarationType": "T1"},
    ),
    "C0055": (
        "CD001C",
        {"Consignment/containerIndicator": "1"},
        {
            "Consignment/containerIndicator": "1",
            "Consignment/TransportEquipment/containerIdentificationNumber": "TSTU3053846",
            "Consignment/TransportEquipment/numberOfSeals": "0",
        },
    ),
    "C0060": (
        "CD001C",
        {f"{ITEM}/Packaging/typeOfPackages": "VQ"},
        {
            f"{ITEM}/Packaging/typeOfPackages": "NE",
            f"{ITEM}/Packaging/shippingMarks": None,
        },
    ),
    "C0153": ("CD001C", {f"{ITEM}/Commodity/CommodityCode": None}, {}),
    "C0186": ("CD001C", {"Consignment/TransportCharges/methodOfPayment": "A"}, {}),
    "C0191": ("CD001C", {"Consignment/PlaceOfUnloading/UNLocode": "MKSKP"}, {}),
    "C0233": (
        "CD200C",
        {"Guarantee/guaranteeType": "2"},
        {"Guarantee/guaranteeType": "2", "CustomsOfficeOfDestinationDeclared/referenceNumber": "MK000003"},
    ),
    "C0240": ("CD180C", {"Consignment/Incident/code": "3"}, {}),
    "C0251": ("CD001C", {"RiskAnalysisIdentification/code": "R"}, {}),
    "C0255": ("CD204C", {"TransitOperation/releaseDate": None}, {}),
    "C0320": ("CD144C", {"ResponseInformation/informationCode": "10"}, {}),
    "C0330": ("CD145C", {"RequestedInformation/text": "why"}, {}),
    "C0337": (
        "CD001C",
        {
            "TransitOperation/security": "2",
            "Consignment/modeOfTransportAtTheBorder": "3",
            "Consignment/TransportCharges/methodOfPayment": "A",
            f"{HOUSE}/TransportCharges/methodOfPayment": "A",
        },
        {},
    ),
    "C0339": ("CD001C", {"Consignment/inlandModeOfTransport": "5"}, {}),
    "C0343": ("CD001C", {f"{ITEM}/countryOfDestination": "MK"}, {}),
    "C0349": ("CD001C", {f"{HOUSE}/Consignor/name": "Another"}, {}),
    "C0354": ("CD049C", {"TransitOperation/discrepanciesResolved": "1"}, {}),
    "C0365": ("CD003C", {"ControlResult": None}, {}),
    "C0387": ("CD001C", {"Consignment/PlaceOfLoading/country": "AT"}, {"Consignment/PlaceOfLoading/UNLocode": "ATVIE"}),
    "C0396": (
        "CD180C",
        {
            "Consignment/Incident/code": "2",
            "Consignment/Incident/TransportEquipment/containerIdentificationNumber": "TSTU3053846",
        },
        {},
    ),
    "C0400": ("CD070C", {"Country/Action/Unavailability/endDateAndTime": None}, {}),
    "C0411": ("CD001C", {"TransitOperation/TIRCarnetNumber": "XA25000001"}, {}),
    "C0417": ("CD201C", {"Guarantee/GuaranteeReference/CustomsOfficeOfGuarantee": None}, {}),
    "C0460": ("CD180C", {"Consignment/Incident/Location/qualifierOfIdentification": "W"}, {}),
    "C0461": ("CD906C", {"Header": None}, {}),
    "C0511": ("CD095C", {"correlationIdentifier": None}, {}),
    "C0511N": ("CD070C", {"correlationIdentifier": "X"}, {}),
    "C0812": ("CD001C", {"messageRecipient": "NTA.MK", "RiskAnalysisIdentification": None}, {}),
    "C0813": (
        "CD001C",
        {"messageRecipient": "NTA.CH"},
        {"messageRecipient": "NTA.CH", "RiskAnalysisIdentification": None},
    ),
    "C0820": (
        "CD180C",
        {
            "Consignment/Incident/code": "3",
            "Consignment/Incident/Transhipment/containerIndicator": "1",
            "Consignment/Incident/TransportEquipment/numberOfSeals": "1",
        },
        {},
    ),
    "C0831": ("CD094C", {"CustomsOfficeOfTransit/referenceNumber": "CH000002"}, {}),
    "C0837": ("CD001C", {"TransitOperation/reducedDatasetIndicator": "1"}, {}),
    "C0872": ("CD001C", {"Consignment/containerIndicator": "1"}, {}),
    "C0904": ("CD001C", {"HolderOfTheTransitProcedure/TIRHolderIdentificationNumber": "AUT/999/1"}, {}),
    "C0908": ("CD001C", {"TransitOperation/security": "2", "Consignment/modeOfTransportAtTheBorder": "3"}, {}),
    "C0909": ("CD001C", {f"{ITEM}/countryOfDispatch": "AT"}, {}),
    "C0930": (
        "CD018C",
        {"TransitOperation/otherThingsToReport": None, "Consignment": None},
        {"Consignment": None},
    ),
    "R0001": ("CD144C", {"+ResponseInformation": "twice"}, {}),
    "R0002": ("CD145C", {"+RequestedInformation": "twice"}, {}),
    "R0003": ("CD001C", {"+CustomsOfficeOfTransitDeclared": "twice"}, {}),
    "R0004": ("CD001C", {"CustomsOfficeOfTransitDeclared/arrivalDateAndTimeEstimated": "2026-01-01T00:00:00"}, {}),
    "R0006": ("CD001C", {"CustomsOfficeOfDestinationDeclared/referenceNumber": "TR000003"}, {}),
    "R0007": ("CD001C", {f"{ITEM}/declarationGoodsItemNumber": "2"}, {}),
    "R0023": (
        "CD001C",
        {
            f"{ITEM}/AdditionalReference/type": "C651",
            f"{ITEM}/AdditionalReference/referenceNumber": "0",
        },
        {
            f"{ITEM}/AdditionalReference/type": "C651",
            f"{ITEM}/AdditionalReference/referenceNumber": "X1",
        },
    ),
    "R0028": ("CD006C", {"TransitOperation/MRN": "26AT520000000001J8"}, {}),
    "R0060": (
        "CD001C",
        {f"{ITEM}/Commodity/CommodityCode/harmonizedSystemSubHeadingCode": "8479AB"},
        {},
    ),
    "R0076": (
        "CD001C",
        {
            "Consignment/ActiveBorderTransportMeans/identificationNumber": "w1",
            "Consignment/ActiveBorderTransportMeans/typeOfIdentification": "30",
        },
        {},
    ),
    "R0103": (
        "CD001C",
        {"CustomsOfficeOfExitForTransitDeclared/referenceNumber": "MK000003"},
        {"CustomsOfficeOfExitForTransitDeclared/referenceNumber": "HR000009"},
    ),
    "R0106": (
        "CD001C",
        {"Consignment/TransportEquipment/numberOfSeals": "2", "Consignment/TransportEquipment/Seal/identifier": "S1"},
        {},
    ),
    "R0107": (
        "CD001C",
        {"Consignment/TransportEquipment/Seal/identifier": "S1", "+Consignment/TransportEquipment": "twice"},
        {},
    ),
    "R0220": (
        "CD001C",
        {
            f"{ITEM}/Packaging/numberOfPackages": "0",
            f"{ITEM}/Packaging/typeOfPackages": "NE",
        },
        {},
    ),
    "R0223": ("CD001C", {f"{ITEM}/Commodity/GoodsMeasure/netMass": "9999"}, {}),
    "R0267": ("CD200C", {"Guarantee/GuaranteeReference/currency": "USD"}, {}),
    "R0318": ("CD200C", {"Guarantee/guaranteeType": "4"}, {}),
    "GRN": ("CD203C", {"Guarantee/GuaranteeReference/GRN": "26AT5200000000014"}, {}),
    "R0416": (
        "CD001C",
        {
            f"{HOUSE}/PreviousDocument/type": "N830",
            f"{HOUSE}/PreviousDocument/referenceNumber": "26AT520000000002J1",
        },
        {},
    ),
    "R0448": ("CD001C", {"Consignment/TransportEquipment/numberOfSeals": "0"}, {}),
    "R0472": ("CD001C", {"Consignment/inlandModeOfTransport": "4"}, {}),
    "R0473": ("CD001C", {"Consignment/DepartureTransportMeans/identificationNumber": "w1234test"}, {}),
    "R0987": ("CD001C", {"CustomsOfficeOfTransitDeclared/sequenceNumber": "2"}, {}),
    "R0987H": ("CD001C", {f"{HOUSE}/sequenceNumber": "2"}, {}),
    "R0987G": ("CD200C", {"Guarantee/sequenceNumber": "2"}, {}),
    "R0994": ("CD001C", {"Consignment/grossMass": "1"}, {}),
    "T1120": (
        "CD006C",
        {"preparationDateAndTime": "2024-12-01T10:00:00", "messageIdentification": "XXXXXXXXXXXXXXX"},
        {"preparationDateAndTime": "2025-02-01T10:00:00", "messageIdentification": "XXXXXXXXXXXXXXX"},
    ),
    "B1030": (
        "CD001C",
        {
            "preparationDateAndTime": "2024-12-01T10:00:00",
            f"{HOUSE}/Consignee/name": "X",
            "Consignment/Consignee": None,
        },
        {f"{HOUSE}/Consignee/name": "X", "Consignment/Consignee": None},
    ),
    "SENDER": ("CD006C", {"messageSender": "AT"}, {}),
}
